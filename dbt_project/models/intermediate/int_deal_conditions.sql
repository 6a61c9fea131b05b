-- Grain: one row per open deal (not deleted, merged or excluded): what the signals look at.

with deals as (
    select * from {{ ref('fct_deal') }}
    where status = 'open' and not is_deleted and not is_excluded
),

limits as (
    select * from {{ ref('int_stage_limits') }}
),

windows as (
    select * from {{ ref('int_won_cycles') }}
),

touches as (
    select * from {{ ref('int_deal_touches') }}
),

changes as (
    select changes.*
    from {{ ref('fct_deal_change') }} as changes
    semi join deals on changes.deal_key = deals.deal_key
    where changes.changed_at <= {{ as_of_at() }}
),

pushes as (
    select
        deal_key,
        count(*) filter (where is_push) as n_pushes,
        coalesce(sum(days_moved) filter (where days_moved > 0), 0) as push_days_total,
        max(changed_at) filter (where days_moved > 0) as last_push_at
    from changes
    where field = 'expected_close_date' and not is_post_close
    group by deal_key
),

edits as (
    select
        deal_key,
        max(changed_at) as last_person_edit_at
    from changes
    where is_person_edit
    group by deal_key
),

swings as (
    select
        deal_key,
        max(changed_at) as last_swing_at,
        max(abs({{ ratio('amount_delta_amt', 'old_amount_amt') }})) as swing
    from changes
    where
        field = 'amount'
        and changed_at >= {{ plus_days(as_of_at(), -7) }}
        and abs({{ ratio('amount_delta_amt', 'old_amount_amt') }}) > 0.5
    group by deal_key
),

retreats as (
    select
        deal_key,
        count(*) as n_backward_90,
        max(entered_at) as last_backward_at
    from {{ ref('fct_deal_stage') }}
    where entry_kind = 'backward' and entered_at >= {{ plus_days(as_of_at(), -90) }}
    group by deal_key
),

planned as (
    select
        named.deal_key,
        min(activities.due_date) filter (where activities.due_date >= {{ as_of_date() }})
            as next_due_date,
        min(activities.due_date) filter (where activities.due_date < {{ as_of_date() }})
            as overdue_date
    from {{ ref('fct_activity') }} as activities
    cross join unnest(activities.deal_keys) as named (deal_key)
    where not activities.done and not activities.is_deleted and activities.due_date is not null
    group by named.deal_key
),

newest_quotes as (
    select
        deal_key,
        valid_until,
        is_expired
    from {{ ref('fct_quote') }}
    where deal_key is not null and not is_deleted and status <> 'void'
    qualify row_number() over (partition by deal_key order by created_at desc, quote_key desc) = 1
),

lines as (
    select
        deal_key,
        sum(net_amt) as lines_amt
    from {{ ref('fct_quote_line') }}
    where deal_key is not null and quote_key is null and not is_deleted
    group by deal_key
),

owners as (
    select * from {{ ref('dim_user') }}
    where is_current
),

business_days as (
    select
        date,
        sum(case when is_business_day then 1 else 0 end) over (order by date) as business_day_no
    from {{ ref('dim_date') }}
),

-- max() gives a row also where the calendar does not hold today.
today as (
    select max(business_day_no) as business_day_no
    from business_days
    where date = {{ as_of_date() }}
),

pipeline_sizes as (
    select
        pipeline_key,
        quantile_cont(amount_rc, 0.75) as p75_amount_rc
    from deals
    where amount_rc is not null
    group by pipeline_key
),

weighted as (
    select
        deals.deal_key,
        dates.quarter_period_key,
        -- Wider first: ten thousand million times a probability overflows.
        cast(greatest(deals.amount_rc, 0) as decimal(24, 4))
        * cast(deals.probability as decimal(7, 6)) as weighted_rc
    from deals
    inner join {{ ref('dim_date') }} as dates on deals.expected_close_date = dates.date
    where coalesce(deals.forecast_category, '') <> 'omitted'
),

weighted_totals as (
    select
        quarter_period_key,
        sum(weighted_rc) as weighted_rc
    from weighted
    group by quarter_period_key
),

final as (
    select
        deals.deal_key,
        deals.name,
        deals.owner_user_key,
        owners.manager_user_key,
        coalesce(owners.team_key, 'unassigned') as team_key,
        coalesce(owners.is_active, false) as is_owner_active,
        owners.valid_from as owner_version_from,
        deals.pipeline_key,
        deals.stage_key,
        deals.forecast_category,
        deals.currency_code,
        deals.amount_rc,
        deals.amount_amt,
        deals.expected_close_date,
        deals.created_at,
        deals.stage_entered_at,
        {{ seconds_between('deals.stage_entered_at', as_of_at()) }} / 86400.0 as days_in_stage,
        limits.stage_order,
        limits.n_open_stages,
        {{ ratio('limits.stage_order', 'limits.n_open_stages') }} as stage_share,
        coalesce(limits.rotten_days, {{ var('rotten_days', 30) }}) as rotten_days,
        coalesce(limits.stage_limit_days, {{ var('rotten_days', 30) }}) as stage_limit_days,
        limits.p10_remaining_days,
        limits.p90_remaining_days,
        windows.p90_cycle_days,
        -- Nobody touched it since it was created: that is the last touch.
        greatest(
            deals.created_at,
            coalesce(deals.last_touch_at, deals.created_at),
            coalesce(touches.last_spoken_at, deals.created_at),
            coalesce(edits.last_person_edit_at, deals.created_at)
        ) as last_touch_at,
        touches.last_inbound_at,
        touches.last_outbound_at,
        coalesce(deals.last_two_way_at, touches.last_inbound_at) as last_two_way_at,
        coalesce(touches.n_unanswered, 0) as n_unanswered,
        coalesce(touches.n_engaged_contacts, 0) as n_engaged_contacts,
        case
            when deals.next_activity_date >= {{ as_of_date() }}
                then least(
                    deals.next_activity_date,
                    coalesce(planned.next_due_date, deals.next_activity_date)
                )
            else planned.next_due_date
        end as next_activity_date,
        planned.overdue_date,
        today.business_day_no - overdue_days.business_day_no as overdue_business_days,
        coalesce(pushes.n_pushes, 0) as n_pushes,
        coalesce(pushes.push_days_total, 0) as push_days_total,
        pushes.last_push_at,
        swings.last_swing_at,
        swings.swing,
        coalesce(retreats.n_backward_90, 0) as n_backward_90,
        retreats.last_backward_at,
        newest_quotes.deal_key is not null as has_quote,
        newest_quotes.valid_until as quote_valid_until,
        coalesce(newest_quotes.is_expired, false) as is_quote_expired,
        lines.lines_amt,
        pipeline_sizes.p75_amount_rc,
        {{ ratio('weighted.weighted_rc', 'weighted_totals.weighted_rc') }} as share_of_weighted,
        deals.source_system,
        deals.connection,
        deals.raw_version_id
    from deals
    cross join today
    left join limits on deals.stage_key = limits.stage_key
    left join windows on deals.pipeline_key = windows.pipeline_key
    left join touches on deals.deal_key = touches.deal_key
    left join edits on deals.deal_key = edits.deal_key
    left join pushes on deals.deal_key = pushes.deal_key
    left join swings on deals.deal_key = swings.deal_key
    left join retreats on deals.deal_key = retreats.deal_key
    left join planned on deals.deal_key = planned.deal_key
    left join business_days as overdue_days on planned.overdue_date = overdue_days.date
    left join newest_quotes on deals.deal_key = newest_quotes.deal_key
    left join lines on deals.deal_key = lines.deal_key
    left join owners on deals.owner_user_key = owners.user_key
    left join pipeline_sizes on deals.pipeline_key = pipeline_sizes.pipeline_key
    left join weighted on deals.deal_key = weighted.deal_key
    left join weighted_totals on weighted.quarter_period_key = weighted_totals.quarter_period_key
)

select * from final
