-- Grain: one row per landed set of the contacts of a Zoho deal: those in roles, and the one
-- that the deal itself names, which has a role or none.

with deals as (
    select
        deal_key,
        arg_max(contact_id, (observed_at, sync_id, position)) as contact_id
    from {{ ref('stg_zoho__deals') }}
    where has_content
    group by deal_key
),

role_sets as (
    select
        *,
        list_filter(coalesce(roles, []), lambda one: one.id is not null) as members
    from {{ ref('stg_zoho__deal_contact_roles') }}
    where change = 'upsert'
),

sets as (
    select
        role_sets.*,
        deals.contact_id
    from role_sets
    left join deals on role_sets.deal_key = deals.deal_key
)

select
    deal_key,
    'zoho' as source_system,
    connection,
    list_concat(
        list_transform(
            members,
            lambda one: {
                'key': concat(connection, ':', one.id),
                'labels': case
                    when one.Contact_Role.name is null then cast([] as varchar[])
                    else [one.Contact_Role.name]
                end,
                'is_primary': coalesce(one.id = contact_id, false)
            }
        ),
        case
            when
                contact_id is not null
                and not list_contains(list_transform(members, lambda one: one.id), contact_id)
                then [{
                    'key': concat(connection, ':', contact_id),
                    'labels': cast([] as varchar[]),
                    'is_primary': true
                }]
            else []
        end
    ) as members,
    observed_at,
    sync_id,
    position,
    raw_version_id
from sets
