-- Grain: one row per landed version of a contact of a file.

select
    contact_key,
    contact_id,
    'files' as source_system,
    connection,
    coalesce(name, nullif(trim(concat_ws(' ', first_name, last_name)), '')) as name,
    email,
    other_emails,
    job_title,
    company_id,
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
from {{ ref('stg_files__contacts') }}
