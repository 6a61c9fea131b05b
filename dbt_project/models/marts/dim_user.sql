-- Grain: one row per user and version, and the members unknown and unassigned.

with spells as (
    select * from {{ ref('int_user_spells') }}
),

user_map as (
    select * from {{ ref('int_user_map') }}
),

members as (
    select
        'unknown' as user_key,
        'Unknown user' as name
    union all
    select
        'unassigned' as user_key,
        'Unassigned' as name
),

known as (
    select
        concat(spells.user_key, '@', cast(epoch_ms(spells.valid_from) as varchar))
            as user_version_key,
        spells.user_key,
        coalesce(spells.name, spells.email, spells.user_key) as name,
        spells.email,
        coalesce(spells.team_key, 'unassigned') as team_key,
        coalesce(
            by_address.user_key,
            by_id.user_key,
            case
                when coalesce(spells.manager_email, spells.manager_id) is not null then 'unknown'
            end
        ) as manager_user_key,
        spells.role,
        spells.is_active,
        spells.quota_carrying,
        spells.is_roster_gap,
        spells.valid_to = {{ far_future() }} as is_current,
        false as is_placeholder,
        spells.hired_on,
        spells.valid_from,
        nullif(spells.valid_to, {{ far_future() }}) as valid_to,
        coalesce(spells.source_system, 'none') as source_system,
        coalesce(spells.connection, 'none') as connection,
        spells.raw_version_id
    from spells
    left join user_map as by_address
        on
            spells.connection = by_address.connection
            and spells.manager_email = by_address.owner_id
    left join user_map as by_id
        on spells.connection = by_id.connection and spells.manager_id = by_id.owner_id
),

placeholders as (
    select
        concat(user_key, '@0') as user_version_key,
        user_key,
        name,
        cast(null as varchar) as email,
        'unassigned' as team_key,
        cast(null as varchar) as manager_user_key,
        cast(null as varchar) as role,
        false as is_active,
        false as quota_carrying,
        false as is_roster_gap,
        true as is_current,
        true as is_placeholder,
        cast(null as date) as hired_on,
        cast('1970-01-01 00:00:00+00' as {{ instant_type() }}) as valid_from,
        cast(null as {{ instant_type() }}) as valid_to,
        'none' as source_system,
        'none' as connection,
        cast(null as varchar) as raw_version_id
    from members
),

united as (
    select * from known
    union all
    select * from placeholders
),

final as (
    select
        user_version_key,
        user_key,
        name,
        email,
        team_key,
        manager_user_key,
        role,
        is_active,
        quota_carrying,
        is_roster_gap,
        is_current,
        is_placeholder,
        hired_on,
        valid_from,
        valid_to,
        false as is_deleted,
        source_system,
        connection,
        raw_version_id
    from united
)

select * from final
