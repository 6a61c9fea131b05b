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

invoices as (
    select * from {{ ref('int_invoices_valued') }}
),

rates as (
    select
        currency_code,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot'
),

bookings as (
    select
        coalesce(company_key, 'unknown') as company_key,
        closed_date as event_date,
        amount_at_won_rc as booked_rc
    from {{ ref('fct_deal') }}
    where status = 'won' and not is_deleted and not is_excluded and amount_at_won_rc is not null
),

billings as (
    select
        coalesce(invoices.company_key, 'unknown') as company_key,
        events.event_date,
        sum(events.net_rc) filter (events.event_kind in ('issued', 'voided')) as invoiced_net_rc,
        -sum(events.net_rc) filter (events.event_kind not in ('issued', 'voided'))
            as credited_net_rc
    from {{ ref('int_invoice_billing_events') }} as events
    inner join invoices on events.invoice_key = invoices.invoice_key
    group by invoices.company_key, events.event_date
),

taxes as (
    select
        coalesce(company_key, 'unknown') as company_key,
        unnest([issue_date, voided_date]) as event_date,
        unnest([1, -1]) as sign,
        {{ convert_money('tax_amt', 'rate_to_rc', "'" ~ var('reporting_currency') ~ "'") }}
            as tax_rc
    from invoices
    where is_billable
),

-- Money is worth what it was worth on the day it moved.
cash as (
    select
        coalesce(invoices.company_key, 'unknown') as company_key,
        allocations.applied_date as event_date,
        allocations.kind,
        {{ convert_money('allocations.applied_amt',
            'coalesce(rates.rate_to_rc, invoices.rate_to_rc)',
            "'" ~ var('reporting_currency') ~ "'") }} as moved_rc
    from {{ ref('int_payment_allocations') }} as allocations
    inner join invoices on allocations.invoice_key = invoices.invoice_key
    left join rates
        on
            allocations.currency_code = rates.currency_code
            and allocations.applied_date = rates.rate_date
    where
        allocations.kind in ('payment', 'prepayment', 'refund', 'dispute')
        -- What another billing system also holds was paid once.
        and invoices.is_billable
),

events as (
    select
        company_key,
        event_date,
        'booked' as measure,
        booked_rc as value_rc
    from bookings
    union all
    select
        company_key,
        event_date,
        'invoiced',
        invoiced_net_rc
    from billings
    union all
    select
        company_key,
        event_date,
        'credited',
        credited_net_rc
    from billings
    union all
    select
        company_key,
        event_date,
        'tax',
        sign * tax_rc
    from taxes
    union all
    select
        company_key,
        event_date,
        case when kind in ('payment', 'prepayment') then 'paid' else 'refunded' end,
        case when kind in ('payment', 'prepayment') then moved_rc else -moved_rc end
    from cash
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
