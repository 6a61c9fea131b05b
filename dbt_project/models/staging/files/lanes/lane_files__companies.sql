-- Grain: one row per landed version of a company of a file.

select
    company_key,
    company_id,
    'files' as source_system,
    connection,
    name,
    domain,
    industry,
    country,
    parent_company_id,
    cast([] as varchar[]) as merged_ids,
    merged_into_id,
    change,
    is_deleted,
    created_at,
    updated_at,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_files__companies') }}
