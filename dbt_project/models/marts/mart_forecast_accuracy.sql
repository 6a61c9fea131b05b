-- Grain: one row per scope x closed period x measure x method x share of the period: what was said then
-- beside what the period came to. Running figures are over this and the earlier periods, same
-- scope, method and share.

with forecasts as (
    select * from {{ ref('mart_forecast') }}
    where not is_now and forecast_rc is not null
),

-- The points whose outcome is final.
points as (
    select
        period_key,
        bucket
    from {{ ref('int_forecast_points') }}
    where is_frozen and not is_now and bucket <> 'today'
),

actuals as (
    select
        period_key,
        bucket,
        scope_type,
        scope_key,
        measure,
        actual_rc
    from {{ ref('int_forecast_scoped') }}
    where is_frozen and not is_now and bucket <> 'today'
),

-- Of a scope that handed in a number and had no deal, nothing came.
matched as (
    select
        forecasts.*,
        cast(coalesce(actuals.actual_rc, 0) as {{ money_type() }}) as actual_rc
    from forecasts
    inner join points
        on
            forecasts.period_key = points.period_key
            and cast(forecasts.rel_day_bucket as varchar) = points.bucket
    left join actuals
        on
            forecasts.period_key = actuals.period_key
            and cast(forecasts.rel_day_bucket as varchar) = actuals.bucket
            and forecasts.scope_type = actuals.scope_type
            and forecasts.scope_key = actuals.scope_key
            and forecasts.measure = actuals.measure
),

compared as (
    select
        *,
        cast(forecast_rc - actual_rc as {{ money_type() }}) as error_rc,
        case when p10_rc is not null then actual_rc between p10_rc and p90_rc end
            as inside_p10_p90
    from matched
),

running as (
    select
        *,
        {{ ratio('abs(error_rc)', 'abs(actual_rc)') }} as abs_pct,
        sum(error_rc) over so_far as sum_error_rc,
        sum(abs(error_rc)) over so_far as sum_abs_error_rc,
        sum(actual_rc) over so_far as sum_actual_rc,
        count(*) over so_far as n_periods_so_far,
        count(*) filter (where inside_p10_p90) over so_far as n_inside,
        count(inside_p10_p90) over so_far as n_intervals
    from compared
    window so_far as (
        partition by scope_type, scope_key, period_grain, measure, method, rel_day_bucket
        order by period_start_date rows unbounded preceding
    )
),

final as (
    select
        forecast_key,
        scope_type,
        scope_key,
        user_key,
        team_key,
        period_key,
        period_grain,
        measure,
        method,
        basis,
        forecast_rc,
        actual_rc,
        error_rc,
        p10_rc,
        p90_rc,
        rel_day_bucket,
        abs_pct,
        case when abs_pct is not null then greatest(0, 1 - abs_pct) end as hubspot_style_score,
        {{ ratio('sum_error_rc', 'sum_actual_rc') }} as bias,
        {{ ratio('sum_abs_error_rc', 'sum_actual_rc') }} as wape,
        {{ ratio('n_inside', 'n_intervals') }} as achieved_coverage,
        n_periods_so_far as n_periods,
        n_intervals,
        inside_p10_p90,
        as_of_date,
        period_start_date,
        period_end_date
    from running
)

select * from final
