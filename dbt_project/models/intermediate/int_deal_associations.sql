-- Grain: one row per deal, kind (company, contact), member, role and interval.
--
-- An interval goes on as long as version after version of the set holds the same member.

with sets as (
    select * from {{ ref('int_deal_association_sets') }}
),

deals as (
    select
        deal_key,
        source_system,
        connection,
        created_at,
        is_deleted
    from {{ ref('int_deals_current') }}
),

set_versions as (
    select
        deal_key,
        kind,
        raw_version_id,
        observed_at,
        row_number() over w as version_no,
        lead(observed_at) over w as next_observed_at
    from (
        select distinct deal_key, kind, observed_at, sync_id, position, raw_version_id
        from sets
    )
    window w as (partition by deal_key, kind order by observed_at, sync_id, position)
),

members as (
    select
        sets.deal_key,
        sets.kind,
        sets.member_key,
        sets.role,
        sets.is_primary,
        set_versions.raw_version_id,
        set_versions.version_no,
        case
            when set_versions.version_no = 1
                then least(coalesce(deals.created_at, sets.observed_at), sets.observed_at)
            else sets.observed_at
        end as valid_from,
        set_versions.next_observed_at as valid_to,
        set_versions.version_no - row_number() over (
            partition by sets.deal_key, sets.kind, sets.member_key, sets.role, sets.is_primary
            order by set_versions.version_no
        ) as island_no,
        deals.source_system,
        deals.connection,
        deals.is_deleted
    from sets
    inner join set_versions
        on
            sets.deal_key = set_versions.deal_key
            and sets.kind = set_versions.kind
            and sets.raw_version_id = set_versions.raw_version_id
    inner join deals
        on sets.deal_key = deals.deal_key
    where sets.member_key is not null
),

final as (
    select
        deal_key,
        kind,
        member_key,
        role,
        is_primary,
        min(valid_from) as valid_from,
        arg_max(coalesce(valid_to, {{ far_future() }}), version_no) as valid_until,
        arg_max(raw_version_id, version_no) as raw_version_id,
        any_value(source_system) as source_system,
        any_value(connection) as connection,
        any_value(is_deleted) as is_deleted
    from members
    group by deal_key, kind, member_key, role, is_primary, island_no
)

select
    * exclude (valid_until),
    nullif(valid_until, {{ far_future() }}) as valid_to
from final
-- Two versions of one instant: the former held for no time.
where valid_from < valid_until
