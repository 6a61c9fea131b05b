-- Grain: one row per open deal (not deleted, merged or excluded), as of the build's date.

with conditions as (
    select * from {{ ref('int_deal_conditions') }}
),

signals as (
    select * from {{ ref('int_deal_signals') }}
),

catalogue as (
    {{ deal_signal_rows() }}
),

named as (
    select
        signals.deal_key,
        signals.since_at,
        signals.detail,
        catalogue.check_id,
        catalogue.signal,
        catalogue.weight,
        catalogue.urgency,
        catalogue.action
    from signals
    inner join catalogue on signals.check_id = catalogue.check_id
),

summed as (
    select
        deal_key,
        list(check_id order by check_id) as signals,
        sum(weight) as weight,
        string_agg(
            concat(signal, ' -', cast(weight as varchar)), ', ' order by urgency
        ) as score_parts,
        string_agg(concat(signal, ': ', detail), '; ' order by urgency) as reason,
        arg_min(action, urgency) as suggested_action,
        min(since_at) as first_flagged_at,
        bool_or(check_id = 'D-01') as is_rotting,
        bool_or(check_id = 'D-02') as is_stage_age_exceeded,
        bool_or(check_id = 'D-03') as is_stalled,
        bool_or(check_id = 'D-04') as is_ghosted,
        bool_or(check_id = 'D-07') as close_in_past
    from named
    group by deal_key
),

final as (
    select
        conditions.deal_key,
        conditions.name,
        conditions.owner_user_key,
        conditions.manager_user_key,
        conditions.team_key,
        conditions.pipeline_key,
        conditions.stage_key,
        coalesce(summed.signals, []) as signals,
        summed.reason,
        summed.score_parts,
        summed.suggested_action,
        conditions.amount_rc,
        cast(conditions.days_in_stage as decimal(9, 2)) as days_in_stage,
        cast(conditions.stage_limit_days as decimal(9, 2)) as stage_limit_days,
        cast(conditions.n_pushes as bigint) as n_pushes,
        cast(conditions.push_days_total as bigint) as push_days_total,
        cast(conditions.n_engaged_contacts as bigint) as n_engaged_contacts,
        cast(greatest(100 - coalesce(summed.weight, 0), 0) as bigint) as health_score,
        coalesce(summed.is_rotting, false) as is_rotting,
        coalesce(summed.is_stage_age_exceeded, false) as is_stage_age_exceeded,
        coalesce(summed.is_stalled, false) as is_stalled,
        coalesce(summed.is_ghosted, false) as is_ghosted,
        coalesce(summed.close_in_past, false) as close_in_past,
        conditions.next_activity_date,
        conditions.expected_close_date,
        {{ as_of_date() }} as as_of_date,
        conditions.last_touch_at,
        conditions.last_inbound_at,
        conditions.last_outbound_at,
        conditions.last_two_way_at,
        summed.first_flagged_at,
        false as is_deleted,
        conditions.source_system,
        conditions.connection,
        conditions.raw_version_id
    from conditions
    left join summed on conditions.deal_key = summed.deal_key
)

select * from final
