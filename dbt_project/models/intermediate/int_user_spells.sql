-- Grain: one row per user x interval in which the same facts hold of the person. Half-open,
-- without gap or overlap per user; a roster decides where there is one.

with people as (
    select
        people.*,
        coalesce(people.email, user_map.user_key, concat(people.connection, ':', people.owner_id))
            as user_key
    from {{ ref('int_people_unioned') }} as people
    left join {{ ref('int_user_map') }} as user_map
        on people.connection = user_map.connection and people.owner_id = user_map.owner_id
),

-- A roster row that dates itself holds as its newest version says.
dated as (
    select *
    from people
    where source_system = 'files' and valid_from_date is not null
    qualify
        row_number() over (
            partition by record_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

dated_spells as (
    select
        user_key,
        source_system,
        connection,
        raw_version_id,
        name,
        email,
        team_key,
        manager_id,
        manager_email,
        role,
        -- A row with an end speaks of the time before it: the person was there.
        coalesce(valid_to_date is not null or is_active, true) as is_active,
        coalesce(quota_carrying, false) as quota_carrying,
        hired_on,
        {{ start_of_day('valid_from_date') }} as valid_from,
        least(
            coalesce({{ start_of_day('valid_to_date') }}, {{ far_future() }}),
            coalesce(
                lead({{ start_of_day('valid_from_date') }}) over (
                    partition by user_key order by valid_from_date, raw_version_id
                ),
                {{ far_future() }}
            )
        ) as valid_to
    from dated
    where not is_deleted
),

-- Everything else holds from when we saw it, the first version since ever. Where a roster
-- knows the person, the CRM's word is not asked.
undated as (
    select *
    from people
    where
        valid_from_date is null
        and people.user_key not in (select dated_spells.user_key from dated_spells)
    qualify
        -- One source per person: the roster's before the CRM's, then the first connection.
        dense_rank() over (
            partition by user_key
            order by
                case when source_system = 'files' then 1 else 2 end, connection, record_key
        ) = 1
),

undated_spells as (
    select
        user_key,
        source_system,
        connection,
        raw_version_id,
        name,
        email,
        team_key,
        manager_id,
        manager_email,
        role,
        coalesce(is_active, true) and not is_deleted as is_active,
        coalesce(quota_carrying, false) as quota_carrying,
        hired_on,
        case
            when
                row_number() over (
                    partition by user_key order by observed_at, sync_id, position
                ) = 1
                then cast('1970-01-01 00:00:00+00' as {{ instant_type() }})
            else observed_at
        end as valid_from,
        coalesce(
            lead(observed_at) over (partition by user_key order by observed_at, sync_id, position),
            {{ far_future() }}
        ) as valid_to
    from undated
),

known as (
    select * from dated_spells
    union all
    select * from undated_spells
),

-- Before, between and after dated rows nobody says where the person was.
edges as (
    select
        user_key,
        cast('1970-01-01 00:00:00+00' as {{ instant_type() }}) as valid_from,
        min(valid_from) as valid_to
    from known
    group by user_key
    union all
    select
        user_key,
        valid_to,
        coalesce(
            lead(valid_from) over (partition by user_key order by valid_from),
            {{ far_future() }}
        )
    from known
),

last_known as (
    select *
    from known
    qualify row_number() over (partition by user_key order by valid_from desc) = 1
),

gaps as (
    select
        edges.user_key,
        last_known.source_system,
        last_known.connection,
        last_known.raw_version_id,
        last_known.name,
        last_known.email,
        null as team_key,
        null as manager_id,
        null as manager_email,
        last_known.role,
        false as is_active,
        false as quota_carrying,
        last_known.hired_on,
        edges.valid_from,
        edges.valid_to
    from edges
    inner join last_known on edges.user_key = last_known.user_key
    where edges.valid_from < edges.valid_to
),

-- People whom only a quota, a share of a deal or an address names.
named_only as (
    select distinct
        user_map.user_key,
        cast(null as varchar) as source_system,
        cast(null as varchar) as connection,
        cast(null as varchar) as raw_version_id,
        user_map.user_key as name,
        user_map.user_key as email,
        cast(null as varchar) as team_key,
        cast(null as varchar) as manager_id,
        cast(null as varchar) as manager_email,
        cast(null as varchar) as role,
        true as is_active,
        false as quota_carrying,
        cast(null as date) as hired_on,
        cast('1970-01-01 00:00:00+00' as {{ instant_type() }}) as valid_from,
        {{ far_future() }} as valid_to
    from {{ ref('int_user_map') }} as user_map
    where
        user_map.owner_id = user_map.user_key
        and user_map.user_key not in (select known.user_key from known)
),

final as (
    select
        *,
        false as is_roster_gap
    from known
    where valid_from < valid_to
    union all
    select
        *,
        true as is_roster_gap
    from gaps
    union all
    select
        *,
        false as is_roster_gap
    from named_only
)

select * from final
