-- Grain: one row per fiscal period (month, quarter, year, week).

with periods as (
    select
        *,
        -- Place within the year: week 53 of a long year has none a year earlier.
        row_number() over (partition by grain, fiscal_year order by start_date) as period_no
    from {{ ref('stg_config__fiscal_periods') }}
),

holidays as (
    select holiday_date from {{ ref('stg_config__holidays') }}
),

bounds as (
    select
        min(start_date) as first_date,
        max(end_date) as last_date
    from periods
),

business_days as (
    select cast(days.day as date) as business_date
    from bounds
    cross join
        unnest(
            generate_series(
                cast(bounds.first_date as timestamp),
                cast(bounds.last_date as timestamp),
                interval 1 day
            )
        ) as days (day)
    where
        isodow(days.day) <= 5
        and cast(days.day as date) not in (select holidays.holiday_date from holidays)
),

business_day_counts as (
    select
        periods.period_key,
        count(*) as n_business_days
    from periods
    inner join business_days
        on business_days.business_date between periods.start_date and periods.end_date
    group by periods.period_key
),

final as (
    select
        periods.period_key,
        periods.grain,
        periods.label,
        lag(periods.period_key) over (partition by periods.grain order by periods.start_date)
            as prior_period_key,
        year_ago.period_key as year_ago_period_key,
        cast(periods.fiscal_year as bigint) as fiscal_year,
        cast(periods.fiscal_quarter as bigint) as fiscal_quarter,
        cast(periods.fiscal_month as bigint) as fiscal_month,
        cast(periods.period_no as bigint) as period_no,
        {{ days_between('periods.start_date', 'periods.end_date') }} + 1 as n_days,
        coalesce(business_day_counts.n_business_days, 0) as n_business_days,
        coalesce(periods.is_53rd_week_year, false) as is_53rd_week_year,
        {{ as_of_date() }} between periods.start_date and periods.end_date as is_current,
        periods.end_date < {{ as_of_date() }} as is_closed,
        periods.start_date,
        periods.end_date
    from periods
    left join business_day_counts on periods.period_key = business_day_counts.period_key
    left join periods as year_ago
        on
            periods.grain = year_ago.grain
            and periods.fiscal_year = year_ago.fiscal_year + 1
            and periods.period_no = year_ago.period_no
)

select * from final
