-- Grain: one row per person of a Xero customer x landed version of the contact since the person
-- was first seen: the one whom the contact names itself, and its further ones, whom only their
-- address tells apart. Who is left out of a later version is gone.

with contacts as (
    select *
    from {{ ref('stg_xero__contacts') }}
    where is_customer or not is_supplier
),

listed as (
    select
        *,
        unnest(list_concat(
            case
                when person_name is not null
                    then [{'person_id': contact_id, 'name': person_name, 'email': email}]
                else []
            end,
            list_transform(
                list_filter(
                    coalesce(persons, []), lambda one: nullif(trim(one.EmailAddress), '') is not null
                ),
                lambda one: {
                    'person_id': concat(contact_id, ':', lower(trim(one.EmailAddress))),
                    'name': nullif(trim(concat_ws(' ', one.FirstName, one.LastName)), ''),
                    'email': lower(trim(one.EmailAddress))
                }
            )
        )) as person
    from contacts
),

known as (
    select
        contact_key,
        person.person_id as person_id,
        arg_max(person, (observed_at, sync_id, position)) as last_shown,
        min((observed_at, sync_id, position)) as first_shown
    from listed
    group by contact_key, person.person_id
),

versions as (
    select
        contacts.*,
        known.person_id,
        contacts.is_deleted or listed.person is null as is_person_gone,
        coalesce(listed.person, known.last_shown) as person
    from contacts
    inner join known
        on
            contacts.contact_key = known.contact_key
            and (contacts.observed_at, contacts.sync_id, contacts.position) >= known.first_shown
    left join listed
        on
            contacts.raw_version_id = listed.raw_version_id
            and known.person_id = listed.person.person_id
)

select
    concat(connection, ':', person_id) as contact_key,
    person_id as contact_id,
    source_system,
    connection,
    person.name as name,
    person.email as email,
    cast([] as varchar[]) as other_emails,
    contact_id as company_id,
    cast([] as varchar[]) as merged_ids,
    case when is_person_gone then 'deleted' else 'upsert' end as change,
    is_person_gone as is_deleted,
    source_updated_at as updated_at,
    observed_at,
    sync_id,
    position,
    raw_version_id
from versions
