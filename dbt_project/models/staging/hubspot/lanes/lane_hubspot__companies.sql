-- Grain: one row per landed version of a HubSpot company.

select
    company_key,
    company_id,
    'hubspot' as source_system,
    connection,
    name,
    domain,
    industry,
    country,
    owner_id,
    parent_company_id,
    string_split_regex(coalesce(merged_ids, ''), '[;, ]+') as merged_ids,
    change,
    is_deleted,
    coalesce(created_at, record_created_at) as created_at,
    updated_at,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_hubspot__companies') }}
where change <> 'merged'
