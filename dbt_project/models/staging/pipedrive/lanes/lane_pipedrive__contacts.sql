-- Grain: one row per landed version of a Pipedrive person.

with persons as (
    select
        *,
        coalesce(
            list_filter(emails, lambda one: one.is_primary)[1].address, emails[1].address
        ) as email
    from {{ ref('stg_pipedrive__persons') }}
)

select
    person_key as contact_key,
    person_id as contact_id,
    'pipedrive' as source_system,
    connection,
    person_name as name,
    email,
    list_filter(list_transform(emails, lambda one: one.address), lambda one: one <> email)
        as other_emails,
    job_title,
    organization_id as company_id,
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
from persons
