-- Grain: one row per landed version of a Zoho account.

select
    company_key,
    company_id,
    'zoho' as source_system,
    connection,
    company_name as name,
    nullif(
        regexp_extract(
            lower(website), '^(?:[a-z]+://)?(?:www[.])?([^/:?#]+[.][^/:?#]+)', 1
        ),
        ''
    ) as domain,
    industry,
    country,
    owner_id,
    parent_id as parent_company_id,
    change,
    is_deleted,
    created_at,
    updated_at,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_zoho__accounts') }}
