-- Grain: one row per rule about people, quotas and marts (D-20, Q-01 to Q-13)
-- x record that breaks it, at the as-of.

with gaps as (
    select * from {{ ref('mart_quota_gap') }}
),

users as (
    select * from {{ ref('dim_user') }}
    where is_current and not is_placeholder
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

dates as (
    select * from {{ ref('dim_date') }}
),

funnels as (
    select * from {{ ref('mart_funnel_cohort') }}
),

deals as (
    select * from {{ ref('fct_deal') }}
    where not is_deleted and not is_excluded
),

-- What the methods of one scope and as-of said, side by side.
called as (
    select
        scope_type,
        scope_key,
        measure,
        period_key,
        as_of_date,
        max(forecast_rc) filter (where method = 'commit') as commit_rc,
        max(forecast_rc) filter (where method = 'most_likely') as most_likely_rc,
        max(forecast_rc) filter (where method = 'best_case') as best_case_rc,
        max(forecast_rc) filter (where method = 'pipeline_all') as pipeline_all_rc,
        max(forecast_rc) filter (where method = 'crm_weighted') as crm_weighted_rc,
        max(forecast_rc) filter (where method = 'learned_weighted') as learned_weighted_rc
    from {{ ref('mart_forecast') }}
    group by scope_type, scope_key, measure, period_key, rel_day_bucket, as_of_date
),

-- One scope has too few intervals to be judged by: those of a kind are taken together.
intervals as (
    select
        scope_type,
        period_grain,
        method,
        count(*) filter (where inside_p10_p90) as n_inside,
        count(inside_p10_p90) as n
    from {{ ref('mart_forecast_accuracy') }}
    group by scope_type, period_grain, method
),

-- Won value that only turned up when the period was nearly over.
late_wins as (
    select
        deals.owner_at_won_user_key as user_key,
        periods.period_key,
        periods.end_date,
        count(*) as n_won,
        sum(deals.amount_at_won_rc) as won_rc,
        sum(deals.amount_at_won_rc) filter (
            where
            deals.created_date > periods.end_date - 14
            or exists (
                select 1
                from {{ ref('fct_deal_change') }} as changes
                where
                    changes.deal_key = deals.deal_key
                    and changes.field = 'expected_close_date'
                    and changes.old_date > periods.end_date
                    and changes.new_date <= periods.end_date
                    and changes.changed_date > periods.end_date - 14
            )
        ) as late_rc
    from deals
    inner join periods
        on
            periods.grain = 'quarter'
            and deals.closed_date between periods.start_date and periods.end_date
            and deals.closed_date > periods.end_date - 14
    where deals.status = 'won' and deals.owner_at_won_user_key is not null
    group by deals.owner_at_won_user_key, periods.period_key, periods.end_date
),

period_wins as (
    select
        deals.owner_at_won_user_key as user_key,
        periods.period_key,
        count(*) as n_won,
        sum(deals.amount_at_won_rc) as won_rc
    from deals
    inner join periods
        on
            periods.grain = 'quarter'
            and deals.closed_date between periods.start_date and periods.end_date
    where deals.status = 'won'
    group by deals.owner_at_won_user_key, periods.period_key
),

company_wins as (
    select
        gaps.period_key,
        gaps.measure,
        sum(gaps.won_rc) filter (where gaps.scope_type = 'user') as users_rc,
        coalesce(sum(gaps.won_rc) filter (where gaps.scope_type = 'company'), 0) as company_rc
    from gaps
    where gaps.credit_type = 'revenue'
    group by gaps.period_key, gaps.measure
),

booked as (
    select
        periods.period_key,
        deals.measure,
        sum(deals.amount_at_won_rc) as booked_rc
    from deals
    inner join periods
        on deals.closed_date between periods.start_date and periods.end_date
    where deals.status = 'won' and periods.grain = 'quarter'
    group by periods.period_key, deals.measure
),

period_overlaps as (
    select
        periods.period_key,
        others.period_key as other_key
    from periods
    inner join periods as others
        on
            periods.grain = others.grain
            and periods.period_key < others.period_key
            and periods.start_date <= others.end_date
            and periods.end_date >= others.start_date
),

funnel_steps as (
    select
        *,
        lag(n_reached_to_date) over (
            partition by
                pipeline_key, cohort_period_key, basis, segment_type, segment, method
            order by stage_order
        ) as previous_n
    from funnels
    where method = 'reached' and n_reached_to_date is not null
),

flows as (
    select
        *,
        open_at_start_n + entered_forward_n + entered_backward_n + entered_reopened_n
        + entered_other_pipeline_n - exited_forward_n - exited_backward_n - exited_won_n
        - exited_lost_n - exited_other_n as due_n,
        open_at_start_rc + entered_forward_rc + entered_backward_rc + entered_reopened_rc
        + entered_other_pipeline_rc - exited_forward_rc - exited_backward_rc - exited_won_rc
        - exited_lost_rc - exited_other_rc as due_rc
    from {{ ref('mart_funnel_flow') }}
),

attributed as (
    select
        deal_key,
        {% for model in ['first_touch', 'last_touch', 'linear', 'position', 'time_decay'] %}
            sum(weight_{{ model }}) as {{ model }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('mart_attribution') }}
    group by deal_key
),

-- What is in each stage by the deals' own state, beside what the flow left in it.
open_now as (
    select
        stage_key,
        count(*) as n
    from deals
    where
        stage_type not in ('won', 'lost')
        and pipeline_key is not null
        and {{ company_date('stage_entered_at') }} <= {{ as_of_date() }}
    group by stage_key
),

broken as (
    select
        'D-20' as check_id,
        'warn' as severity,
        'user_period' as record_type,
        concat(late_wins.user_key, '|', late_wins.period_key) as record_key,
        null as deal_key,
        cast({{ ratio('late_wins.late_rc', 'period_wins.won_rc') }} as double) as value,
        cast({{ var('sandbag_share', 0.4) }} as double) as limit_value,
        concat('much of ', late_wins.period_key, ' appeared in its last 14 days') as detail,
        {{ start_of_day('late_wins.end_date + 1') }} as since_at
    from late_wins
    inner join period_wins
        on
            late_wins.user_key = period_wins.user_key
            and late_wins.period_key = period_wins.period_key
    where
        period_wins.n_won >= {{ var('sandbag_min_n', 5) }}
        and late_wins.late_rc > {{ var('sandbag_share', 0.4) }} * period_wins.won_rc
        and late_wins.end_date < {{ as_of_date() }}
    union all
    select
        'Q-01' as check_id,
        'error' as severity,
        'fiscal_period' as record_type,
        period_key as record_key,
        null as deal_key,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        concat('overlaps ', other_key) as detail,
        {{ as_of_at() }} as since_at
    from period_overlaps
    union all
    select
        'Q-01' as check_id,
        'error' as severity,
        'date' as record_type,
        cast(date as varchar) as record_key,
        null as deal_key,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        'a day without a fiscal quarter or week' as detail,
        {{ as_of_at() }} as since_at
    from dates
    where quarter_period_key is null or week_period_key is null
    union all
    select
        'Q-02' as check_id,
        'error' as severity,
        'quota' as record_type,
        quotas.quota_record_key as record_key,
        null as deal_key,
        cast(quotas.quota_amt as double) as value,
        cast(null as double) as limit_value,
        concat('a second quota for ', quotas.quota_series_key) as detail,
        quotas.observed_at as since_at
    from {{ ref('int_quota_versions') }} as quotas
    where quotas.is_refused
    union all
    select
        'Q-03' as check_id,
        'warn' as severity,
        'user' as record_type,
        users.user_key as record_key,
        null as deal_key,
        cast(null as double) as value,
        cast(null as double) as limit_value,
        concat('carries a quota and has none for ', periods.period_key) as detail,
        greatest({{ start_of_day('periods.start_date') }}, users.valid_from) as since_at
    from users
    cross join periods
    left join gaps
        on
            users.user_key = gaps.user_key
            and gaps.scope_type = 'user'
            and gaps.credit_type = 'revenue'
            and periods.period_key = gaps.period_key
            and gaps.quota_rc is not null
    where
        periods.grain = 'quarter'
        and periods.is_current
        and users.is_active
        and users.quota_carrying
        and gaps.quota_gap_key is null
    union all
    select
        'Q-03' as check_id,
        'warn' as severity,
        'user' as record_type,
        users.user_key as record_key,
        null as deal_key,
        cast(gaps.quota_rc as double) as value,
        cast(null as double) as limit_value,
        concat('has a quota for ', gaps.period_key, ' and is no longer here') as detail,
        greatest({{ start_of_day('gaps.period_start_date') }}, users.valid_from) as since_at
    from gaps
    inner join users on gaps.user_key = users.user_key
    where
        gaps.scope_type = 'user'
        and gaps.is_current_period
        and gaps.quota_rc is not null
        and not users.is_active
    union all
    select
        'Q-04' as check_id,
        'warn' as severity,
        'quota_gap' as record_type,
        gaps.quota_gap_key as record_key,
        null as deal_key,
        cast(gaps.target_mismatch_rc as double) as value,
        cast(0 as double) as limit_value,
        'the members'' quotas do not add up to the own one' as detail,
        {{ start_of_day('gaps.period_start_date') }} as since_at
    from gaps
    where gaps.target_mismatch_rc <> 0 and gaps.is_current_period
    union all
    select
        'Q-05' as check_id,
        'error' as severity,
        'fiscal_period' as record_type,
        concat(period_key, '|', measure) as record_key,
        null as deal_key,
        cast(users_rc as double) as value,
        cast(company_rc as double) as limit_value,
        'what users won is not what the company won' as detail,
        {{ as_of_at() }} as since_at
    from company_wins
    where coalesce(users_rc, 0) <> company_rc
    union all
    select
        'Q-05' as check_id,
        'error' as severity,
        'fiscal_period' as record_type,
        concat(booked.period_key, '|', booked.measure) as record_key,
        null as deal_key,
        cast(company_wins.company_rc as double) as value,
        cast(booked.booked_rc as double) as limit_value,
        'the company''s won is not the sum of its won deals' as detail,
        {{ as_of_at() }} as since_at
    from booked
    left join company_wins
        on
            booked.period_key = company_wins.period_key
            and booked.measure = company_wins.measure
    where coalesce(booked.booked_rc, 0) <> coalesce(company_wins.company_rc, 0)
    union all
    select
        'Q-06' as check_id,
        'error' as severity,
        'quota_gap' as record_type,
        gaps.quota_gap_key as record_key,
        null as deal_key,
        cast(gaps.gap_rc as double) as value,
        cast(null as double) as limit_value,
        'gap or attainment does not follow from quota and won' as detail,
        {{ as_of_at() }} as since_at
    from gaps
    where
        (gaps.quota_rc is null) <> (gaps.gap_rc is null)
        or gaps.gap_rc <> gaps.quota_rc - gaps.won_rc
        or (gaps.attainment is null) <> (coalesce(gaps.quota_rc, 0) = 0)
    union all
    select
        'Q-08' as check_id,
        'error' as severity,
        'funnel_cohort' as record_type,
        funnel_cohort_key as record_key,
        null as deal_key,
        cast(n_reached_to_date as double) as value,
        cast(previous_n as double) as limit_value,
        'more deals reached the stage than the one before' as detail,
        {{ as_of_at() }} as since_at
    from funnel_steps
    where n_reached_to_date > previous_n
    union all
    select
        'Q-08' as check_id,
        'error' as severity,
        'funnel_flow' as record_type,
        funnel_flow_key as record_key,
        null as deal_key,
        cast(open_at_end_n as double) as value,
        cast(due_n as double) as limit_value,
        'start + entries - exits is not the end' as detail,
        {{ start_of_day('period_start_date') }} as since_at
    from flows
    where due_n <> open_at_end_n or due_rc <> open_at_end_rc
    union all
    select
        'Q-08' as check_id,
        'error' as severity,
        'stage' as record_type,
        coalesce(flows.stage_key, open_now.stage_key) as record_key,
        null as deal_key,
        cast(coalesce(flows.open_at_end_n, 0) as double) as value,
        cast(coalesce(open_now.n, 0) as double) as limit_value,
        'the flow leaves another number in the stage than are open in it' as detail,
        {{ as_of_at() }} as since_at
    from (
        select * from flows
        where
            period_grain = 'quarter'
            and {{ as_of_date() }} between period_start_date and period_end_date
    ) as flows
    full outer join open_now on flows.stage_key = open_now.stage_key
    where coalesce(flows.open_at_end_n, 0) <> coalesce(open_now.n, 0)
    union all
    select
        'Q-11' as check_id,
        'error' as severity,
        'deal' as record_type,
        deals.deal_key as record_key,
        deals.deal_key as deal_key,
        cast(attributed.linear as double) as value,
        cast(1 as double) as limit_value,
        'the weights of its touches do not add up to 1 in every model' as detail,
        deals.won_at as since_at
    from deals
    left join attributed on deals.deal_key = attributed.deal_key
    where
        deals.status = 'won'
        and not coalesce(
            attributed.first_touch = 1
            and attributed.last_touch = 1
            and attributed.linear = 1
            and attributed.position = 1
            and attributed.time_decay = 1,
            false
        )
    union all
    select
        'Q-10' as check_id,
        'error' as severity,
        'quota_gap' as record_type,
        gaps.quota_gap_key as record_key,
        null as deal_key,
        cast(gaps.weighted_rc as double) as value,
        cast(gaps.open_pipeline_rc as double) as limit_value,
        'weighted is more than open' as detail,
        {{ as_of_at() }} as since_at
    from gaps
    where gaps.weighted_rc > gaps.open_pipeline_rc
    union all
    select
        'Q-10' as check_id,
        'error' as severity,
        'forecast' as record_type,
        concat_ws('|', scope_type, scope_key, measure, period_key, as_of_date) as record_key,
        null as deal_key,
        cast(greatest(
            commit_rc - most_likely_rc, most_likely_rc - best_case_rc,
            best_case_rc - pipeline_all_rc, crm_weighted_rc - pipeline_all_rc,
            learned_weighted_rc - pipeline_all_rc
        ) as double) as value,
        cast(0 as double) as limit_value,
        'a surer forecast says more than a less sure one' as detail,
        {{ as_of_at() }} as since_at
    from called
    where
        commit_rc > most_likely_rc
        or most_likely_rc > best_case_rc
        or best_case_rc > pipeline_all_rc
        or crm_weighted_rc > pipeline_all_rc
        or learned_weighted_rc > pipeline_all_rc
    union all
    select
        'Q-12' as check_id,
        'warn' as severity,
        'forecast_method' as record_type,
        concat_ws('|', period_grain, scope_type, method) as record_key,
        null as deal_key,
        {{ ratio('n_inside', 'n') }} as value,
        cast(case when n_inside < 0.7 * n then 0.7 else 0.9 end as double) as limit_value,
        concat(n_inside, ' of ', n, ' intervals held the outcome, four of five should') as detail,
        {{ as_of_at() }} as since_at
    from intervals
    where n >= 10 and (n_inside < 0.7 * n or n_inside > 0.9 * n)
    union all
    select
        'Q-13' as check_id,
        'warn' as severity,
        'probability_decile' as record_type,
        calibration_key as record_key,
        null as deal_key,
        observed_rate - mean_p as value,
        cast(0.1 as double) as limit_value,
        concat(
            'said ', cast(mean_p as decimal(4, 3)), ' of ', n, ' deals, ',
            cast(observed_rate as decimal(4, 3)), ' were won'
        ) as detail,
        {{ as_of_at() }} as since_at
    from {{ ref('mart_probability_calibration') }}
    where n >= 30 and abs(observed_rate - mean_p) > 0.1
),

final as (
    select
        check_id,
        severity,
        record_type,
        cast(record_key as varchar) as record_key,
        cast(deal_key as varchar) as deal_key,
        value,
        limit_value,
        detail,
        least(coalesce(since_at, {{ as_of_at() }}), {{ as_of_at() }}) as since_at
    from broken
)

select * from final
