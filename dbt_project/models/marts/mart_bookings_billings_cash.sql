-- Grain: one row per fiscal month x company, in the reporting currency; from a company's first
-- event to the current month, a month without any as a row of zeros.

with months as (
    select
        period_key,
        start_date,
        end_date
    from {{ ref('dim_fiscal_period') }}
    where grain = 'month' and start_date <= {{ as_of_date() }}
),

events as (
    select * from {{ ref('int_money_events') }}
),

placed as (
    select
        events.company_key,
        months.period_key,
        events.measure,
        events.value_rc
    from events
    inner join months on events.event_date between months.start_date and months.end_date
    where events.event_date <= {{ as_of_date() }}
),

first_months as (
    select
        placed.company_key,
        min(months.start_date) as first_date
    from placed
    inner join months on placed.period_key = months.period_key
    group by placed.company_key
),

summed as (
    select
        company_key,
        period_key,
        sum(value_rc) filter (measure = 'booked') as booked_rc,
        sum(value_rc) filter (measure = 'invoiced') as invoiced_net_rc,
        sum(value_rc) filter (measure = 'credited') as credited_net_rc,
        sum(value_rc) filter (measure = 'tax') as tax_rc,
        sum(value_rc) filter (measure = 'paid') as paid_rc,
        sum(value_rc) filter (measure = 'refunded') as refunded_rc
    from placed
    group by company_key, period_key
),

final as (
    select
        concat_ws('|', first_months.company_key, months.period_key)
            as bookings_billings_cash_key,
        months.period_key,
        first_months.company_key,
        cast(coalesce(summed.booked_rc, 0) as {{ money_type() }}) as booked_rc,
        cast(coalesce(summed.invoiced_net_rc, 0) as {{ money_type() }}) as invoiced_net_rc,
        cast(coalesce(summed.credited_net_rc, 0) as {{ money_type() }}) as credited_net_rc,
        cast(coalesce(summed.tax_rc, 0) as {{ money_type() }}) as tax_rc,
        cast(coalesce(summed.paid_rc, 0) as {{ money_type() }}) as paid_rc,
        cast(coalesce(summed.refunded_rc, 0) as {{ money_type() }}) as refunded_rc,
        months.start_date
    from first_months
    inner join months on first_months.first_date <= months.start_date
    left join summed
        on
            first_months.company_key = summed.company_key
            and months.period_key = summed.period_key
)

select * from final
