-- Grain: one row per fiscal period x point of time from which it is looked at: every closed period
-- at fixed shares of its length and at the share that the present one has reached; every
-- period that is not over as of now; and one row without period, for the deals that are due in none.
--
-- A point is the beginning of a day: what happened on the days before counts. Now is the as-of.

with calendar as (
    select
        period_key,
        grain,
        start_date,
        end_date,
        n_days,
        is_current,
        is_closed,
        row_number() over (partition by grain order by start_date) as period_no
    from {{ ref('dim_fiscal_period') }}
),

known as (
    select
        {{ company_date('min(valid_from)') }} as first_date,
        min(seen_from) as first_seen_at
    from {{ ref('fct_deal_version') }}
),

-- Quarters always; another grain once a quota is set for it.
periods as (
    select calendar.*
    from calendar
    cross join known
    where
        calendar.end_date >= known.first_date
        and (
            calendar.end_date >= {{ as_of_date() }}
            or calendar.start_date >= {{ as_of_date() }} - {{ var('forecast_history_days') }}
        )
        and (
            calendar.grain = 'quarter'
            or calendar.grain in (
                select quotas.grain
                from {{ ref('fct_quota') }} as quotas
                where quotas.forecast_type = 'amount'
            )
        )
),

today as (
    select
        grain,
        {{ days_between('start_date', as_of_date()) }} as n_elapsed,
        n_days
    from periods
    where is_current
),

buckets as (
    {% for bucket in ['0.00', '0.25', '0.50', '0.75', '0.90', '1.00'] -%}
    select
        '{{ bucket }}' as bucket,
        cast({{ bucket }} as decimal(3, 2)) as share
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- The end of a period is the beginning of the day after it.
cuts as (
    select
        periods.*,
        buckets.bucket,
        cast(buckets.share as double) as rel_day,
        periods.start_date + cast(floor(buckets.share * periods.n_days) as integer) as cut_date
    from periods
    cross join buckets
    where periods.is_closed
    union all
    select
        periods.*,
        'today' as bucket,
        {{ ratio('today.n_elapsed', 'today.n_days') }} as rel_day,
        periods.start_date
        + cast(floor(today.n_elapsed * periods.n_days / today.n_days) as integer) as cut_date
    from periods
    inner join today on periods.grain = today.grain
    where periods.is_closed
),

points as (
    select
        concat(period_key, '@', bucket) as point_key,
        period_key,
        grain,
        period_no,
        start_date,
        end_date,
        bucket,
        rel_day,
        cut_date as as_of_date,
        cut_date as before_date,
        {{ start_of_day('cut_date') }} as cut_at,
        false as is_now
    from cuts
    union all
    select
        concat(periods.period_key, '@now') as point_key,
        periods.period_key,
        periods.grain,
        periods.period_no,
        periods.start_date,
        periods.end_date,
        -- A period that has not begun is looked at as its predecessors were on their first day.
        case when periods.is_current then 'today' else '0.00' end as bucket,
        case
            when periods.is_current then {{ ratio('today.n_elapsed', 'today.n_days') }} else 0
        end as rel_day,
        {{ as_of_date() }} as as_of_date,
        {{ as_of_date() }} + 1 as before_date,
        {{ as_of_at() }} as cut_at,
        true as is_now
    from periods
    inner join today on periods.grain = today.grain
    where not periods.is_closed
    union all
    select
        'none@now' as point_key,
        null as period_key,
        null as grain,
        null as period_no,
        null as start_date,
        null as end_date,
        null as bucket,
        null as rel_day,
        {{ as_of_date() }} as as_of_date,
        {{ as_of_date() }} + 1 as before_date,
        {{ as_of_at() }} as cut_at,
        true as is_now
),

-- What a period came to is read when its books are frozen, some days after its end.
frozen as (
    select
        points.*,
        {{ start_of_day('points.end_date + 1 + ' ~ var('freeze_days')) }} as freeze_at
    from points
),

final as (
    select
        frozen.*,
        case
            when frozen.is_now then 'now'
            when known.first_seen_at <= frozen.cut_at then 'as_known'
            else 'restated'
        end as basis,
        coalesce(known.first_seen_at <= frozen.freeze_at, false) as is_actual_as_known,
        coalesce(frozen.freeze_at <= {{ as_of_at() }}, false) as is_frozen,
        -- The last period whose outcome was frozen by then.
        (
            select max(others.period_no)
            from frozen as others
            where others.grain = frozen.grain and others.freeze_at <= frozen.cut_at
        ) as last_frozen_no
    from frozen
    cross join known
)

select * from final
