-- Grain: one row per landed version of the person whom a QuickBooks customer or job names, by name
-- or by address. A customer that becomes inactive keeps its person.

with customers as (
    select
        *,
        max(person_name is not null or email is not null) over (partition by customer_key)
            as has_person
    from {{ ref('stg_quickbooks__customers') }}
)

select
    customer_key as contact_key,
    customer_id as contact_id,
    source_system,
    connection,
    person_name as name,
    email,
    coalesce(emails[2:], []) as other_emails,
    customer_id as company_id,
    cast([] as varchar[]) as merged_ids,
    case
        when is_deleted or (person_name is null and email is null) then 'deleted' else 'upsert'
    end as change,
    is_deleted or (person_name is null and email is null) as is_deleted,
    source_updated_at as updated_at,
    observed_at,
    sync_id,
    position,
    raw_version_id
from customers
where has_person
