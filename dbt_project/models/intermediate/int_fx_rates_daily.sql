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
        cast(days.day as date) as rate_date
    from spans
    cross join unnest(
        generate_series(
            cast(spans.effective_date as timestamp),
            cast(spans.last_date as timestamp),
            interval 1 day
        )
    ) as days (day)
),

-- The reporting currency in units of each pivot, from the same provider and day: the
-- pivot itself needs none.
reporting_in_pivot as (
    select
        preference,
        rate_type,
        pivot_currency_code,
        rate_date,
        rate_to_pivot as reporting_to_pivot
    from daily_rates
    where currency_code = '{{ var("reporting_currency") }}'
),

pivots_in_reporting as (
    select
        preference,
        rate_type,
        pivot_currency_code as currency_code,
        rate_date,
        effective_date,
        source_system,
        connection,
        raw_version_id,
        rate_source,
        cast({{ decimal_ratio('1', 'rate_to_pivot', 20, 9) }} as decimal(18, 9)) as rate_to_rc
    from daily_rates
    where currency_code = '{{ var("reporting_currency") }}'
),

others_in_reporting as (
    select
        daily_rates.preference,
        daily_rates.rate_type,
        daily_rates.currency_code,
        daily_rates.rate_date,
        daily_rates.effective_date,
        daily_rates.source_system,
        daily_rates.connection,
        daily_rates.raw_version_id,
        daily_rates.rate_source,
        case
            when daily_rates.pivot_currency_code = '{{ var("reporting_currency") }}'
                then cast(round(daily_rates.rate_to_pivot, 9) as decimal(18, 9))
            else cast(
                {{ decimal_ratio(
                    'daily_rates.rate_to_pivot', 'reporting_in_pivot.reporting_to_pivot', 20, 9) }}
                as decimal(18, 9)
            )
        end as rate_to_rc
    from daily_rates
    left join reporting_in_pivot
        on
            daily_rates.preference = reporting_in_pivot.preference
            and daily_rates.rate_type = reporting_in_pivot.rate_type
            and daily_rates.pivot_currency_code = reporting_in_pivot.pivot_currency_code
            and daily_rates.rate_date = reporting_in_pivot.rate_date
    where daily_rates.currency_code <> '{{ var("reporting_currency") }}'
),

candidates as (
    select * from others_in_reporting
    union all
    select * from pivots_in_reporting
),

-- The company's own table wins over the central bank's, and that over the CRM's; a nearer
-- fixing over an older one.
final as (
    select *
    from candidates
    where rate_to_rc > 0 and currency_code <> '{{ var("reporting_currency") }}'
    qualify
        row_number() over (
            partition by currency_code, rate_date, rate_type
            order by preference asc, effective_date desc, raw_version_id asc
        ) = 1
)

select * from final
