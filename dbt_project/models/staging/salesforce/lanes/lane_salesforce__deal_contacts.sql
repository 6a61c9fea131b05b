-- Grain: one row per opportunity and sync that showed a change of its contact roles: all that
-- it had after it. A first load shows a deal's roles on several pages; they are one set.

with versions as (
    select * from {{ ref('stg_salesforce__contact_roles') }}
),

-- What was purged names no deal any more.
role_deals as (
    select
        role_key,
        max(deal_key) as deal_key
    from versions
    group by role_key
),

instants as (
    select
        role_deals.deal_key,
        versions.connection,
        versions.sync_id,
        max(versions.observed_at) as observed_at,
        max(versions.position) as position,
        arg_max(versions.raw_version_id, (versions.observed_at, versions.position))
            as raw_version_id
    from versions
    inner join role_deals on versions.role_key = role_deals.role_key
    where role_deals.deal_key is not null
    group by role_deals.deal_key, versions.connection, versions.sync_id
),

states as (
    select
        instants.deal_key,
        instants.sync_id,
        versions.role_key,
        arg_max(
            {
                'contact_key': versions.contact_key,
                'role_name': versions.role_name,
                'is_primary': versions.is_primary,
                'is_there': versions.has_content and not versions.is_deleted
            },
            (versions.observed_at, versions.sync_id, versions.position)
        ) as state
    from instants
    inner join role_deals on instants.deal_key = role_deals.deal_key
    inner join versions
        on
            role_deals.role_key = versions.role_key
            and instants.observed_at >= versions.observed_at
    group by instants.deal_key, instants.sync_id, versions.role_key
),

-- A contact may have several roles in a deal.
contacts as (
    select
        deal_key,
        sync_id,
        state.contact_key as contact_key,
        coalesce(
            list(distinct state.role_name order by state.role_name)
            filter (where state.role_name is not null),
            []
        ) as labels,
        bool_or(state.is_primary) as is_primary
    from states
    where state.is_there and state.contact_key is not null
    group by deal_key, sync_id, state.contact_key
),

sets as (
    select
        deal_key,
        sync_id,
        list(
            {'key': contact_key, 'labels': labels, 'is_primary': is_primary}
            order by contact_key
        ) as members
    from contacts
    group by deal_key, sync_id
)

select
    instants.deal_key,
    'salesforce' as source_system,
    instants.connection,
    coalesce(sets.members, []) as members,
    instants.observed_at,
    instants.sync_id,
    instants.position,
    instants.raw_version_id
from instants
left join sets
    on instants.deal_key = sets.deal_key and instants.sync_id = sets.sync_id
