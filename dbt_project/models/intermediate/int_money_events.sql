-- Grain: one row per dated event of money x record: booked (deal), invoiced and tax (invoice),
-- credited (credit note), paid and refunded (payment). Positive as its name says; what is taken
-- back (a void) is negative on its own day. amount_amt in currency_code, value_rc in the
-- reporting currency.

with invoices as (
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
        'booked' as measure,
        'deal' as record_type,
        deal_key as record_key,
        currency_at_won as currency_code,
        amount_at_won_amt as amount_amt,
        amount_at_won_rc as value_rc,
        closed_date as event_date
    from {{ ref('fct_deal') }}
    where status = 'won' and not is_deleted and not is_excluded and amount_at_won_rc is not null
),

billings as (
    select
        coalesce(invoices.company_key, 'unknown') as company_key,
        case when events.event_kind in ('issued', 'voided') then 'invoiced' else 'credited' end
            as measure,
        case
            when events.event_kind in ('issued', 'voided') then 'invoice' else 'credit_note'
        end as record_type,
        case
            when events.event_kind in ('issued', 'voided') then events.invoice_key
            else events.credit_note_key
        end as record_key,
        events.currency_code,
        case when events.event_kind in ('issued', 'voided') then 1 else -1 end as sign,
        events.net_amt,
        events.net_rc,
        events.event_date
    from {{ ref('int_invoice_billing_events') }} as events
    inner join invoices on events.invoice_key = invoices.invoice_key
),

taxes as (
    select
        coalesce(company_key, 'unknown') as company_key,
        invoice_key,
        currency_code,
        tax_amt,
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
        allocations.kind in ('payment', 'prepayment') as is_paid,
        case
            when allocations.payment_key is not null then 'payment'
            when allocations.credit_note_key is not null then 'credit_note'
            else 'payment_allocation'
        end as record_type,
        coalesce(
            allocations.payment_key,
            allocations.credit_note_key,
            allocations.payment_allocation_key
        ) as record_key,
        allocations.currency_code,
        allocations.applied_amt,
        {{ convert_money('allocations.applied_amt',
            'coalesce(rates.rate_to_rc, invoices.rate_to_rc)',
            "'" ~ var('reporting_currency') ~ "'") }} as moved_rc,
        allocations.applied_date
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

final as (
    select
        company_key,
        measure,
        record_type,
        record_key,
        currency_code,
        amount_amt,
        value_rc,
        event_date
    from bookings
    union all
    select
        company_key,
        measure,
        record_type,
        record_key,
        currency_code,
        sign * net_amt,
        sign * net_rc,
        event_date
    from billings
    union all
    select
        company_key,
        'tax',
        'invoice',
        invoice_key,
        currency_code,
        sign * tax_amt,
        sign * tax_rc,
        event_date
    from taxes
    where event_date is not null
    union all
    select
        company_key,
        case when is_paid then 'paid' else 'refunded' end,
        record_type,
        record_key,
        currency_code,
        case when is_paid then applied_amt else -applied_amt end,
        case when is_paid then moved_rc else -moved_rc end,
        applied_date
    from cash
)

select * from final
