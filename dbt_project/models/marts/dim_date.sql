-- Grain: one row per calendar date of the fiscal calendar.

with periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

holidays as (
    select * from {{ ref('stg_config__holidays') }}
),

-- The days of each grain, unfolded: joining a date to a range of dates costs more.
days as (
    select
        cast(series.day as date) as date,
        periods.grain,
        periods.period_key,
        periods.period_no,
        periods.fiscal_year,
        periods.fiscal_quarter,
        periods.fiscal_month,
        periods.start_date,
        periods.n_days
    from periods
    cross join unnest(
        generate_series(
            cast(periods.start_date as timestamp),
            cast(periods.end_date as timestamp),
            interval 1 day
        )
    ) as series (day)
),

dates as (
    select
        years.date,
        years.period_key as year_period_key,
        quarters.period_key as quarter_period_key,
        months.period_key as month_period_key,
        weeks.period_key as week_period_key,
        holidays.holiday_name,
        years.fiscal_year,
        quarters.fiscal_quarter,
        months.fiscal_month,
        weeks.period_no as fiscal_week,
        quarters.n_days as days_in_quarter,
        {{ days_between('quarters.start_date', 'years.date') }} + 1 as day_of_quarter,
        isodow(years.date) <= 5 and holidays.holiday_date is null as is_business_day
    from days as years
    left join days as quarters on years.date = quarters.date and quarters.grain = 'quarter'
    left join days as months on years.date = months.date and months.grain = 'month'
    left join days as weeks on years.date = weeks.date and weeks.grain = 'week'
    left join holidays on years.date = holidays.holiday_date
    where years.grain = 'year'
),

final as (
    select
        year_period_key,
        quarter_period_key,
        month_period_key,
        week_period_key,
        holiday_name,
        cast(extract('week' from date) as bigint) as iso_week,
        fiscal_year,
        fiscal_quarter,
        fiscal_month,
        fiscal_week,
        day_of_quarter,
        days_in_quarter,
        cast(
            sum(case when is_business_day then 1 else 0 end) over (
                partition by quarter_period_key
                order by date
                rows between unbounded preceding and current row
            ) as bigint
        ) as business_day_of_quarter,
        is_business_day,
        date
    from dates
)

select * from final
