-- Grain: one row per landed version of a Zoho contact.

select
    contact_key,
    contact_id,
    'zoho' as source_system,
    connection,
    contact_name as name,
    email,
    case when other_email is not null then [other_email] else [] end as other_emails,
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
from {{ ref('stg_zoho__contacts') }}
