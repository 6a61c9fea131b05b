-- Grain: one row per landed version of a Vtiger organization.

select
    company_key,
    company_id,
    'vtiger' as source_system,
    connection,
    name,
    nullif(
        regexp_extract(lower(website), '^(?:[a-z]+://)?(?:www[.])?([^/:?#]+[.][^/:?#]+)', 1), ''
    ) as domain,
    industry,
    country,
    owner_id,
    parent_company_id,
    change,
    is_deleted,
    created_at,
    updated_at,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_vtiger__companies') }}
