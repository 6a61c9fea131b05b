-- Grain: one row per span of time in which the pipeline due in a fiscal month or quarter is
-- followed: `period` while the period runs, and for quarters `ahead` while the quarter before it
-- runs and `after` from its end to the as-of. Only periods of the last `history_months` months, and
-- ahead the next quarter, so that the movement does not grow for ever.

with periods as (
    select
        period_key,
        grain,
        n_days,
        start_date,
        end_date,
        lag(start_date) over (partition by grain order by start_date) as prior_start_date
    from {{ ref('dim_fiscal_period') }}
    where grain in ('month', 'quarter')
),

spans as (
    select
        *,
        'period' as window_type,
        start_date as first_date,
        end_date as last_date
    from periods
    union all
    select
        *,
        'after' as window_type,
        end_date + 1 as first_date,
        {{ as_of_date() }} as last_date
    from periods
    where grain = 'quarter' and end_date < {{ as_of_date() }}
    union all
    select
        *,
        'ahead' as window_type,
        prior_start_date as first_date,
        start_date - 1 as last_date
    from periods
    where grain = 'quarter' and prior_start_date is not null
),

final as (
    select
        row_number() over (order by first_date, period_key, window_type) as window_no,
        period_key,
        window_type,
        grain,
        n_days,
        last_date >= {{ as_of_date() }} as is_running,
        start_date as close_from,
        end_date as close_to,
        first_date,
        least(last_date, {{ as_of_date() }}) as last_date,
        -- Half-open: what happens at midnight belongs to the new day, as its business date says.
        {{ start_of_day('first_date') }} as from_at,
        case
            when last_date >= {{ as_of_date() }} then {{ far_future() }}
            else {{ start_of_day('last_date + 1') }}
        end as to_at,
        {{ start_of_day('first_date + ' ~ var('opening_grace_days')) }} as due_at,
        first_date + {{ var('opening_grace_days') }} - 1 as due_rate_date
    from spans
    where
        first_date <= {{ as_of_date() }}
        and end_date >= {{ as_of_date() }} - interval {{ var('history_months') }} month
)

select * from final
