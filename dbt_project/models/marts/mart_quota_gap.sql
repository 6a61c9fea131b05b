-- Grain: one row per scope (user, team, manager, company) x period x measure x credit type, as
-- of the build's date. Overlay credit has rows of its own and is never added to revenue's.

with credits as (
    select * from {{ ref('int_deal_credits') }}
),

scopes as (
    select * from {{ ref('int_user_scopes') }}
),

quotas as (
    select * from {{ ref('int_quota_in_force') }}
    where forecast_type = 'amount'
),

-- What the last eight closed periods say about today's point of the period.
history as (
    select
        history.*,
        points.period_key
    from {{ ref('int_forecast_history') }} as history
    inner join {{ ref('int_forecast_points') }} as points
        on history.point_key = points.point_key
    where points.is_now
),

all_periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

-- Quarters always; another grain once a quota is set for it.
periods as (
    select *
    from all_periods
    where
        grain = 'quarter'
        or grain in (
            select quota_periods.grain
            from quotas
            inner join all_periods as quota_periods
                on quotas.period_key = quota_periods.period_key
        )
),

business_days as (
    select
        periods.period_key,
        count(*) filter (where dim_date.date < {{ as_of_date() }}) as n_elapsed,
        count(*) filter (where dim_date.date >= {{ as_of_date() }}) as n_left
    from periods
    inner join {{ ref('dim_date') }} as dim_date
        on dim_date.date between periods.start_date and periods.end_date
    where dim_date.is_business_day
    group by periods.period_key
),

-- One row per scope and day: a deal that two people of one team share is one deal.
scoped as (
    select
        credits.credit_type,
        credits.status,
        credits.measure,
        credits.is_omitted,
        credits.closed_date,
        credits.expected_close_date,
        scopes.scope_type,
        scopes.scope_key,
        coalesce(credits.deal_amount_rc < 0, false) as is_negative,
        count(*) filter (where credits.share = 1)
        + count(distinct case when credits.share <> 1 then credits.deal_key end) as n_deals,
        count(*) filter (where credits.share = 1 and credits.amount_rc is null)
        + count(distinct case
            when credits.share <> 1 and credits.amount_rc is null then credits.deal_key
        end) as n_without_amount,
        sum(credits.amount_rc) as amount_rc,
        sum(credits.weighted_rc) as weighted_rc
    from credits
    inner join scopes
        on {{ scope_at('scopes', 'credits.user_key', 'credits.credited_at') }}
    group by
        credits.credit_type,
        credits.status,
        credits.measure,
        credits.is_omitted,
        credits.closed_date,
        credits.expected_close_date,
        scopes.scope_type,
        scopes.scope_key,
        coalesce(credits.deal_amount_rc < 0, false)
),

won as (
    select
        scoped.scope_type,
        scoped.scope_key,
        periods.period_key,
        scoped.measure,
        scoped.credit_type,
        sum(scoped.n_deals) as n_won,
        sum(scoped.n_without_amount) as n_without_amount,
        coalesce(sum(scoped.amount_rc), 0) as won_rc
    from scoped
    inner join periods
        on scoped.closed_date between periods.start_date and periods.end_date
    where scoped.status = 'won'
    group by
        scoped.scope_type, scoped.scope_key, periods.period_key, scoped.measure, scoped.credit_type
),

-- A credit deal (amount below nothing) is no pipeline that could cover a gap.
open_in_period as (
    select
        scoped.scope_type,
        scoped.scope_key,
        periods.period_key,
        scoped.measure,
        scoped.credit_type,
        sum(scoped.n_deals) as n_open,
        sum(scoped.n_without_amount) as n_without_amount,
        coalesce(sum(scoped.amount_rc) filter (where not scoped.is_negative), 0)
            as open_pipeline_rc,
        coalesce(sum(scoped.amount_rc) filter (
            where not scoped.is_negative and scoped.expected_close_date < {{ as_of_date() }}
        ), 0) as overdue_open_rc,
        coalesce(sum(scoped.weighted_rc) filter (where not scoped.is_negative), 0) as weighted_rc,
        coalesce(sum(scoped.amount_rc) filter (where scoped.is_negative), 0)
            as negative_open_rc
    from scoped
    inner join periods
        on scoped.expected_close_date between periods.start_date and periods.end_date
    where scoped.status = 'open' and not scoped.is_omitted
    group by
        scoped.scope_type, scoped.scope_key, periods.period_key, scoped.measure, scoped.credit_type
),

open_by_date as (
    select
        scope_type,
        scope_key,
        measure,
        credit_type,
        expected_close_date,
        sum(amount_rc) as open_rc
    from scoped
    where status = 'open' and not is_omitted and not is_negative
    group by scope_type, scope_key, measure, credit_type, expected_close_date
),

keys as (
    select
        scope_type,
        scope_key,
        period_key,
        measure,
        credit_type
    from won
    union
    select
        scope_type,
        scope_key,
        period_key,
        measure,
        credit_type
    from open_in_period
    union
    select
        scope_type,
        scope_key,
        period_key,
        measure,
        credit_type
    from quotas
),

past_due as (
    select
        keys.scope_type,
        keys.scope_key,
        keys.period_key,
        keys.measure,
        keys.credit_type,
        sum(open_by_date.open_rc) filter (
            where open_by_date.expected_close_date < periods.start_date
        ) as past_due_other_rc,
        sum(open_by_date.open_rc) filter (where open_by_date.expected_close_date is null)
            as no_close_date_rc
    from keys
    inner join periods on keys.period_key = periods.period_key
    inner join open_by_date
        on
            keys.scope_type = open_by_date.scope_type
            and keys.scope_key = open_by_date.scope_key
            and keys.measure = open_by_date.measure
            and keys.credit_type = open_by_date.credit_type
            and (
                open_by_date.expected_close_date is null
                or periods.start_date > open_by_date.expected_close_date
            )
    group by keys.scope_type, keys.scope_key, keys.period_key, keys.measure, keys.credit_type
),

joined as (
    select
        keys.*,
        periods.grain,
        periods.start_date,
        periods.end_date,
        periods.is_current,
        periods.is_closed,
        quotas.quota_rc,
        quotas.fx_rate_type as quota_fx_rate_type,
        quotas.quota_basis,
        quotas.target_mismatch_rc,
        coalesce(won.won_rc, 0) as won_rc,
        coalesce(won.n_won, 0) as n_won,
        coalesce(open_in_period.open_pipeline_rc, 0) as open_pipeline_rc,
        coalesce(open_in_period.overdue_open_rc, 0) as overdue_open_rc,
        coalesce(past_due.past_due_other_rc, 0) as past_due_other_rc,
        coalesce(past_due.no_close_date_rc, 0) as no_close_date_rc,
        coalesce(open_in_period.negative_open_rc, 0) as negative_open_rc,
        coalesce(open_in_period.weighted_rc, 0) as weighted_rc,
        coalesce(open_in_period.n_open, 0) as n_open,
        coalesce(won.n_without_amount, 0) + coalesce(open_in_period.n_without_amount, 0)
            as n_without_amount,
        coalesce(business_days.n_left, 0) as business_days_left,
        case when periods.is_current then history.required_coverage end as required_coverage,
        case
            when periods.is_closed then 1.0
            when not periods.is_current then 0.0
            else coalesce(
                history.won_share,
                {{ ratio(
                    'business_days.n_elapsed', '(business_days.n_elapsed + business_days.n_left)'
                ) }}
            )
        end as expected_share,
        case
            when not periods.is_current then 'calendar'
            when history.won_share is not null then 'history'
            else 'business_days'
        end as pace_basis
    from keys
    inner join periods on keys.period_key = periods.period_key
    left join quotas
        on
            keys.scope_type = quotas.scope_type
            and keys.scope_key = quotas.scope_key
            and keys.period_key = quotas.period_key
            and keys.measure = quotas.measure
            and keys.credit_type = quotas.credit_type
    left join won
        on
            keys.scope_type = won.scope_type
            and keys.scope_key = won.scope_key
            and keys.period_key = won.period_key
            and keys.measure = won.measure
            and keys.credit_type = won.credit_type
    left join open_in_period
        on
            keys.scope_type = open_in_period.scope_type
            and keys.scope_key = open_in_period.scope_key
            and keys.period_key = open_in_period.period_key
            and keys.measure = open_in_period.measure
            and keys.credit_type = open_in_period.credit_type
    left join past_due
        on
            keys.scope_type = past_due.scope_type
            and keys.scope_key = past_due.scope_key
            and keys.period_key = past_due.period_key
            and keys.measure = past_due.measure
            and keys.credit_type = past_due.credit_type
    left join business_days on keys.period_key = business_days.period_key
    left join history
        on
            keys.scope_type = history.scope_type
            and keys.scope_key = history.scope_key
            and keys.measure = history.measure
            and keys.period_key = history.period_key
            -- Overlay credit has no history of its own.
            and keys.credit_type = 'revenue'
),

measured as (
    select
        *,
        quota_rc - won_rc as gap_rc,
        greatest(quota_rc - won_rc, 0) as remaining_gap_rc,
        {{ round_money(
            'cast(cast(quota_rc as double) * expected_share as decimal(38, 9))',
            "'" ~ var('reporting_currency') ~ "'"
        ) }} as pace_expected_rc
    from joined
),

final as (
    select
        concat_ws('|', scope_type, scope_key, period_key, measure, credit_type)
            as quota_gap_key,
        scope_type,
        scope_key,
        case when scope_type in ('user', 'manager') then scope_key end as user_key,
        case when scope_type = 'team' then scope_key end as team_key,
        period_key,
        grain as period_grain,
        measure,
        credit_type,
        quota_basis,
        quota_fx_rate_type,
        pace_basis,
        cast(quota_rc as {{ money_type() }}) as quota_rc,
        cast(won_rc as {{ money_type() }}) as won_rc,
        cast(gap_rc as {{ money_type() }}) as gap_rc,
        cast(case when quota_rc is not null then remaining_gap_rc end as {{ money_type() }})
            as remaining_gap_rc,
        cast(open_pipeline_rc as {{ money_type() }}) as open_pipeline_rc,
        cast(overdue_open_rc as {{ money_type() }}) as overdue_open_rc,
        cast(past_due_other_rc as {{ money_type() }}) as past_due_other_rc,
        cast(no_close_date_rc as {{ money_type() }}) as no_close_date_rc,
        cast(negative_open_rc as {{ money_type() }}) as negative_open_rc,
        cast(weighted_rc as {{ money_type() }}) as weighted_rc,
        cast(won_rc + weighted_rc as {{ money_type() }}) as projected_rc,
        cast(quota_rc - won_rc - weighted_rc as {{ money_type() }}) as projected_gap_rc,
        cast(pace_expected_rc as {{ money_type() }}) as pace_expected_rc,
        cast(won_rc - pace_expected_rc as {{ money_type() }}) as pace_delta_rc,
        case
            when quota_rc is not null and business_days_left > 0
                then {{ round_money(
                    'cast(cast(remaining_gap_rc as double) / nullif(business_days_left, 0)'
                    ~ ' as decimal(38, 9))',
                    "'" ~ var('reporting_currency') ~ "'"
                ) }}
        end as needed_per_business_day_rc,
        cast(target_mismatch_rc as {{ money_type() }}) as target_mismatch_rc,
        {{ ratio('won_rc', 'quota_rc') }} as attainment,
        case when quota_rc is not null then {{ ratio('open_pipeline_rc', 'remaining_gap_rc') }} end
            as coverage,
        {{ ratio('(won_rc + open_pipeline_rc)', 'quota_rc') }} as total_coverage,
        required_coverage,
        case when quota_rc is not null then {{ ratio('open_pipeline_rc', 'remaining_gap_rc') }} end
        - required_coverage as coverage_surplus,
        cast(n_won as bigint) as n_won,
        cast(n_open as bigint) as n_open,
        cast(n_without_amount as bigint) as n_without_amount,
        business_days_left,
        coalesce(gap_rc <= 0, false) as is_met,
        is_current as is_current_period,
        is_closed as is_closed_period,
        start_date as period_start_date,
        end_date as period_end_date,
        {{ as_of_date() }} as as_of_date
    from measured
)

select * from final
