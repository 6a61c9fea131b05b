-- Grain: one row per currency x date x rate_type (spot, budget) up to the as-of date, the
-- reporting currency itself left out. rate_to_rc: reporting units per 1 unit.

with stated_rates as (
    select * from {{ ref('int_fx_rates_current') }}
),

fiscal_years as (
    select
        start_date,
        end_date
    from {{ ref('stg_config__fiscal_periods') }}
    where grain = 'year'
),

-- Until when a stated rate may stand in for the days after it.
spans as (
    select
        stated_rates.*,
        least(
            coalesce(
                lead(stated_rates.effective_date) over (
                    partition by
                        stated_rates.preference,
                        stated_rates.rate_type,
                        stated_rates.pivot_currency_code,
                        stated_rates.currency_code
                    order by stated_rates.effective_date
                ) - 1,
                cast('9999-12-31' as date)
            ),
            case
                when stated_rates.rate_type = 'budget'
                    then coalesce(fiscal_years.end_date, stated_rates.effective_date + 365)
                when stated_rates.is_open_ended then cast('9999-12-31' as date)
                else stated_rates.effective_date + {{ var('fx_fill_days') }}
            end,
            {{ as_of_date() }}
        ) as last_date
    from stated_rates
    left join fiscal_years
        on
            stated_rates.rate_type = 'budget'
            and stated_rates.effective_date
            between fiscal_years.start_date and fiscal_years.end_date
),

daily_rates as (
    select
        spans.* exclude (last_date),
        cast(days.day as date) as rate_date,
        {{ as_of_date() }} as known_date
    from spans
    cross join unnest(
        generate_series(
            cast(spans.effective_date as timestamp),
            cast(spans.last_date as timestamp),
            interval 1 day
        )
    ) as days (day)
),

{{ rates_in_reporting('daily_rates') }}
