-- Grain: one row per landed version of a Salesforce contact.

select
    contact_key,
    contact_id,
    'salesforce' as source_system,
    connection,
    contact_name as name,
    email,
    cast([] as varchar[]) as other_emails,
    job_title,
    company_id,
    owner_id,
    survivor_id as merged_into_id,
    change,
    is_deleted,
    created_at,
    updated_at,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_salesforce__contacts') }}
