-- Grain: one row per scope x period x measure x as-of date x method: the periods that are not over as of
-- the build, and the closed ones at fixed shares of their length.
--
-- An interval says where the outcomes of earlier periods fell around what the method said at the
-- same share of them, measured in the spread that independent deals would have had and in a
-- tenth of the forecast at least: deals share quarters, prices and people (decision 0062).

with scoped as (
    select * from {{ ref('int_forecast_scoped') }}
),

points as (
    select * from {{ ref('int_forecast_points') }}
    where period_key is not null
),

history as (
    select * from {{ ref('int_forecast_history') }}
),

-- The manager's own number: most likely where it is called so, else the commit. The company's is
-- the sum of what its teams handed in, unless somebody speaks for the company.
submissions as (
    select
        scope_type,
        scope_key,
        period_key,
        submitted_at,
        forecast_rc,
        category
    from {{ ref('fct_forecast_submission') }}
    where category in ('commit', 'most_likely')
),

newest as (
    select
        points.point_key,
        submissions.scope_type,
        submissions.scope_key,
        arg_max(submissions.forecast_rc, submissions.submitted_at)
            filter (where submissions.category = 'most_likely') as most_likely_rc,
        arg_max(submissions.forecast_rc, submissions.submitted_at)
            filter (where submissions.category = 'commit') as commit_rc
    from points
    inner join submissions
        on
            points.period_key = submissions.period_key
            and submissions.submitted_at <= points.cut_at
    group by points.point_key, submissions.scope_type, submissions.scope_key
),

submitted as (
    select
        point_key,
        scope_type,
        scope_key,
        coalesce(most_likely_rc, commit_rc) as submitted_rc
    from newest
    union all
    select
        point_key,
        'company' as scope_type,
        'company' as scope_key,
        sum(coalesce(most_likely_rc, commit_rc)) as submitted_rc
    from newest
    where
        scope_type = 'team'
        and point_key not in (
            select own.point_key from newest as own where own.scope_type = 'company'
        )
    group by point_key
),

gathered as (
    select
        scoped.*,
        scoped.won_rc + scoped.commit_rc as committed_rc,
        {{ round_money(
            'cast(cast(scoped.open_rc as double) * history.conversion as decimal(38, 9))',
            "'" ~ var('reporting_currency') ~ "'"
        ) }} as expected_of_open_rc,
        {{ round_money('history.unforeseen_rc', "'" ~ var('reporting_currency') ~ "'") }}
            as unforeseen_rc,
        submitted.submitted_rc,
        sqrt(cast(scoped.crm_variance as double)) as crm_spread,
        sqrt(cast(
            case
                when scoped.learned_rc is null then scoped.crm_variance
                else scoped.learned_variance
            end as double
        )) as learned_spread
    from scoped
    left join history
        on
            scoped.point_key = history.point_key
            and scoped.scope_type = history.scope_type
            and scoped.scope_key = history.scope_key
            and scoped.measure = history.measure
    left join submitted
        on
            scoped.point_key = submitted.point_key
            and scoped.scope_type = submitted.scope_type
            and scoped.scope_key = submitted.scope_key
            and scoped.measure = 'bookings'
),

{% set methods = [
    ('commit', 'committed_rc', 'learned', 'null'),
    ('most_likely', 'committed_rc + most_likely_rc', 'learned', 'null'),
    ('best_case', 'committed_rc + most_likely_rc + best_case_rc', 'learned', 'null'),
    ('pipeline_all', 'won_rc + open_rc', 'learned', 'null'),
    ('crm_weighted', 'won_rc + crm_rc', 'crm', 'null'),
    ('learned_weighted', 'won_rc + learned_rc', 'learned', "'nothing to learn from'"),
    (
        'historical_conversion', 'won_rc + expected_of_open_rc + unforeseen_rc', 'learned',
        "'too little history'"
    ),
    ('submission', 'submitted_rc', 'learned', "'nothing submitted'"),
] %}

said as (
    {% for method, forecast, spread, reason in methods -%}
    select
        point_key,
        period_key,
        grain,
        period_no,
        bucket,
        scope_type,
        scope_key,
        measure,
        '{{ method }}' as method,
        basis,
        is_now,
        is_frozen,
        rel_day,
        last_frozen_no,
        as_of_date,
        start_date,
        end_date,
        n_won,
        n_open,
        won_rc,
        actual_rc,
        cast({{ forecast }} as {{ money_type() }}) as forecast_rc,
        greatest({{ spread }}_spread, 0.1 * abs(cast({{ forecast }} as double))) as spread,
        cast({{ reason }} as varchar) as reason_if_null
    from gathered
    union all
    {% endfor -%}
    -- For a scope that has nothing open and wins nothing, what was handed in is all there is.
    select
        points.point_key,
        points.period_key,
        points.grain,
        points.period_no,
        points.bucket,
        submitted.scope_type,
        submitted.scope_key,
        'bookings' as measure,
        'submission' as method,
        points.basis,
        points.is_now,
        points.is_frozen,
        points.rel_day,
        points.last_frozen_no,
        points.as_of_date,
        points.start_date,
        points.end_date,
        0 as n_won,
        0 as n_open,
        0 as won_rc,
        case when points.is_frozen then 0 end as actual_rc,
        cast(submitted.submitted_rc as {{ money_type() }}) as forecast_rc,
        0.1 * abs(cast(submitted.submitted_rc as double)) as spread,
        cast(null as varchar) as reason_if_null
    from submitted
    inner join points on submitted.point_key = points.point_key
    left join scoped
        on
            submitted.point_key = scoped.point_key
            and submitted.scope_type = scoped.scope_type
            and submitted.scope_key = scoped.scope_key
            and scoped.measure = 'bookings'
    where scoped.point_key is null
),

residuals as (
    select
        *,
        cast(actual_rc - forecast_rc as double) / spread as residual
    from said
    where is_frozen and not is_now and spread > 0 and forecast_rc is not null
),

ranked as (
    select
        said.point_key,
        said.scope_type,
        said.scope_key,
        said.measure,
        said.method,
        residuals.residual,
        row_number() over (
            partition by
                said.point_key, said.scope_type, said.scope_key, said.measure, said.method
            order by residuals.residual
        ) as place,
        count(*) over (
            partition by
                said.point_key, said.scope_type, said.scope_key, said.measure, said.method
        ) as n
    from said
    inner join residuals
        on
            said.grain = residuals.grain
            and said.bucket = residuals.bucket
            and said.scope_type = residuals.scope_type
            and said.scope_key = residuals.scope_key
            and said.measure = residuals.measure
            and said.method = residuals.method
            and residuals.period_no between said.last_frozen_no - 11 and said.last_frozen_no
),

-- Place (n + 1) x share among n, on the line through the two nearest: fewer than nine residuals
-- have their tenth percentile a little below the least. The place by n - 1 lies too far inside.
quantiles as (
    select
        point_key,
        scope_type,
        scope_key,
        measure,
        method,
        max(n) as n_periods,
        {% for name, share in [('10', '0.1'), ('50', '0.5'), ('90', '0.9')] -%}
            {%- set at = '(cast(' ~ share ~ ' as decimal(2, 1)) * (n + 1))' -%}
            {%- set below = 'least(greatest(floor(' ~ at ~ '), 1), n - 1)' -%}
            max(residual) filter (where place = {{ below }})
            + (
                max(residual) filter (where place = {{ below }} + 1)
                - max(residual) filter (where place = {{ below }})
            ) * max(cast({{ at }} - {{ below }} as double)) as q{{ name }}
            {{- ',' if not loop.last }}
        {% endfor %}
    from ranked
    group by point_key, scope_type, scope_key, measure, method
),

judged as (
    select
        said.*,
        quantiles.q10,
        quantiles.q50,
        quantiles.q90,
        coalesce(quantiles.n_periods, 0) as n_periods,
        case
            when said.forecast_rc is null then said.reason_if_null
            when said.bucket = '1.00' then 'the period is over'
            when said.is_now and said.start_date > said.as_of_date
                then 'the period has not begun'
            when coalesce(quantiles.n_periods, 0) < 6 then 'too little history'
            when said.spread = 0 then 'nothing to go by'
        end as reason
    from said
    left join quantiles
        on
            said.point_key = quantiles.point_key
            and said.scope_type = quantiles.scope_type
            and said.scope_key = quantiles.scope_key
            and said.measure = quantiles.measure
            and said.method = quantiles.method
    where said.is_now or said.bucket <> 'today'
),

final as (
    select
        concat_ws('|', scope_type, scope_key, measure, point_key, method) as forecast_key,
        scope_type,
        scope_key,
        case when scope_type in ('user', 'manager') then scope_key end as user_key,
        case when scope_type = 'team' then scope_key end as team_key,
        period_key,
        grain as period_grain,
        measure,
        method,
        basis,
        reason,
        forecast_rc,
        {% for share in ['10', '50', '90'] -%}
            -- What is won stays won.
            case
                when reason is null
                    then greatest({{ round_money(
                        'forecast_rc + cast(spread * q' ~ share ~ ' as decimal(18, 4))',
                        "'" ~ var('reporting_currency') ~ "'"
                    ) }}, cast(won_rc as {{ money_type() }}))
            end as p{{ share }}_rc,
        {% endfor -%}
        cast(won_rc as {{ money_type() }}) as won_to_date_rc,
        cast(spread as {{ money_type() }}) as spread_rc,
        cast(case when not is_now then bucket end as decimal(3, 2)) as rel_day_bucket,
        rel_day as period_rel_day,
        cast(n_won as bigint) as n_won,
        cast(n_open as bigint) as n_open,
        cast(n_periods as bigint) as n_periods,
        is_now,
        as_of_date,
        start_date as period_start_date,
        end_date as period_end_date
    from judged
)

select * from final
