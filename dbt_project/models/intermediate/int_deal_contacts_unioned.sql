-- Grain: one row per deal, contact, role and interval in which the source showed them together.
--
-- A source shows the whole set of a deal at a time. What the first set shows has held since
-- the deal's creation; what a later set adds or drops did so when we saw it.
--
-- A source without such sets names at most one contact on the deal itself.

with deals as (
    select * from {{ ref('int_deals_current') }}
),

stated_sets as (
    select * from {{ ref('int_deal_contact_sets_unioned') }}
),

sets as (
    select * from stated_sets
    union all
    select
        deal_key,
        source_system,
        connection,
        case
            when source_contact_key is null then []
            else [{'key': source_contact_key, 'labels': cast([] as varchar[]), 'is_primary': true}]
        end as members,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('int_deals_unioned') }}
    where
        has_content
        and deal_key not in (select stated_sets.deal_key from stated_sets)
),

numbered as (
    select
        *,
        row_number() over (
            partition by deal_key order by observed_at, sync_id, position
        ) as set_no,
        lead(observed_at) over (
            partition by deal_key order by observed_at, sync_id, position
        ) as next_observed_at
    from sets
),

shown as (
    select
        * exclude (member),
        member.key as member_key,
        member.labels as labels,
        -- The only one is the main one, said or not.
        member.is_primary or len(members) = 1 as is_primary
    from (select *, unnest(members) as member from numbered)
),

roles as (
    select
        deal_key,
        source_system,
        connection,
        member_key,
        set_no,
        observed_at,
        next_observed_at,
        raw_version_id,
        bool_or(is_primary) as is_primary,
        role
    from (
        select
            *,
            unnest(case when len(labels) = 0 then ['related'] else labels end) as role
        from shown
    )
    group by all
),

-- Sets that follow one another without a change of this row are one interval.
runs as (
    select
        *,
        set_no - row_number() over (
            partition by deal_key, member_key, role, is_primary order by set_no
        ) as run_no
    from roles
),

intervals as (
    select
        deal_key,
        source_system,
        connection,
        member_key,
        role,
        is_primary,
        min(set_no) as first_set_no,
        min(observed_at) as first_observed_at,
        arg_max(next_observed_at is null, set_no) as is_open,
        max(next_observed_at) as last_observed_at,
        arg_max(raw_version_id, set_no) as raw_version_id
    from runs
    group by deal_key, source_system, connection, member_key, role, is_primary, run_no
),

final as (
    select
        intervals.deal_key,
        intervals.member_key as contact_key,
        intervals.source_system,
        intervals.connection,
        intervals.role,
        intervals.is_primary,
        case
            when intervals.first_set_no = 1
                then least(deals.created_at, intervals.first_observed_at)
            else intervals.first_observed_at
        end as valid_from,
        case when not intervals.is_open then intervals.last_observed_at end as valid_to,
        intervals.raw_version_id
    from intervals
    inner join deals
        on intervals.deal_key = deals.deal_key
)

select * from final
