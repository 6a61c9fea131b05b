-- Grain: one row per landed version of a Vtiger contact.

select
    contact_key,
    contact_id,
    'vtiger' as source_system,
    connection,
    nullif(trim(concat_ws(' ', first_name, last_name)), '') as name,
    email,
    case when secondary_email is not null then [secondary_email] else [] end as other_emails,
    job_title,
    company_id,
    owner_id,
    change,
    is_deleted,
    created_at,
    updated_at,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_vtiger__contacts') }}
