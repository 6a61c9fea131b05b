-- Grain: one row per landed version of a HubSpot contact.

select
    contact_key,
    contact_id,
    'hubspot' as source_system,
    connection,
    nullif(trim(concat_ws(' ', first_name, last_name)), '') as name,
    email,
    list_filter(
        string_split_regex(coalesce(additional_emails, ''), '[;, ]+'), lambda one: one <> ''
    ) as other_emails,
    job_title,
    associated_company_id as company_id,
    owner_id,
    string_split_regex(coalesce(merged_ids, ''), '[;, ]+') as merged_ids,
    change,
    is_deleted,
    coalesce(created_at, record_created_at) as created_at,
    updated_at,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_hubspot__contacts') }}
where change <> 'merged'
