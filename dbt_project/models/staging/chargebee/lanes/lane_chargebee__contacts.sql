-- Grain: one row per person of a Chargebee customer x landed version of the customer since the
-- person was first seen: the one whom the customer names itself, and its contacts. A contact
-- that a later version leaves out is one that is gone.

with customers as (
    select * from {{ ref('stg_chargebee__customers') }}
),

listed as (
    select
        *,
        unnest(list_concat(
            case
                when person_name is not null or email is not null
                    then [{'person_id': customer_id, 'name': person_name, 'email': email}]
                else []
            end,
            list_transform(
                coalesce(contacts, []),
                lambda one: {
                    'person_id': concat(customer_id, ':', one.id),
                    'name': {{ chargebee_person('one.first_name', 'one.last_name') }},
                    'email': lower(nullif(trim(one.email), ''))
                }
            )
        )) as person
    from customers
),

known as (
    select
        customer_key,
        person.person_id as person_id,
        arg_max(person, (observed_at, sync_id, position)) as last_shown,
        min((observed_at, sync_id, position)) as first_shown
    from listed
    group by customer_key, person.person_id
),

versions as (
    select
        customers.*,
        known.person_id,
        customers.is_deleted or listed.person is null as is_person_gone,
        coalesce(listed.person, known.last_shown) as person
    from customers
    inner join known
        on
            customers.customer_key = known.customer_key
            and (customers.observed_at, customers.sync_id, customers.position)
            >= known.first_shown
    left join listed
        on
            customers.raw_version_id = listed.raw_version_id
            and known.person_id = listed.person.person_id
)

select
    concat(connection, ':', person_id) as contact_key,
    person_id as contact_id,
    'chargebee' as source_system,
    connection,
    person.name as name,
    person.email as email,
    cast([] as varchar[]) as other_emails,
    customer_id as company_id,
    cast([] as varchar[]) as merged_ids,
    case when is_person_gone then 'deleted' else 'upsert' end as change,
    is_person_gone as is_deleted,
    created_at,
    source_updated_at as updated_at,
    observed_at,
    sync_id,
    position,
    raw_version_id
from versions
