-- Grain: one row per payment, credit note or customer's credit balance x day of int_ar_dates
-- on which part of it lies with no invoice. unapplied_amt is positive; it is the customer's.

with dates as (
    select * from {{ ref('int_ar_dates') }}
),

allocations as (
    select * from {{ ref('int_payment_allocations') }}
),

customers as (
    select
        invoice_key,
        customer_key,
        company_key
    from {{ ref('int_invoices_valued') }}
),

-- A customer whom any invoice names belongs to that invoice's company.
companies as (
    select
        customer_key,
        min(company_key) as company_key
    from customers
    group by customer_key
),

payment_applications as (
    select
        payment_key,
        applied_date,
        sum(applied_amt) as applied_amt
    from allocations
    where
        payment_key is not null
        and kind in ('payment', 'prepayment')
    group by payment_key, applied_date
),

payments as (
    select
        payments.payment_key as document_key,
        'payment' as document_type,
        payments.customer_key,
        payments.currency_code,
        payments.source_system,
        payments.connection,
        payments.raw_version_id,
        payments.paid_date as document_date,
        dates.as_of_date,
        any_value(payments.amount_amt) - coalesce(sum(applications.applied_amt), 0)
            as unapplied_amt
    from {{ ref('int_payments_current') }} as payments
    inner join dates on payments.paid_date <= dates.as_of_date
    left join payment_applications as applications
        on
            payments.payment_key = applications.payment_key
            and dates.as_of_date >= applications.applied_date
    -- What only a mark on the invoice stands for is applied by its nature.
    where not payments.is_out_of_band
    group by all
),

credit_applications as (
    select
        credit_note_key,
        applied_date,
        sum(applied_amt) as applied_amt
    from allocations
    where credit_note_key is not null and kind = 'credit_note'
    group by credit_note_key, applied_date
),

credits as (
    select
        notes.credit_note_key as document_key,
        'credit_note' as document_type,
        notes.customer_key,
        notes.currency_code,
        notes.source_system,
        notes.connection,
        notes.raw_version_id,
        notes.issue_date as document_date,
        dates.as_of_date,
        -- What was given back at once never lay with us. A note that is applied whole says of
        -- itself that it was given back: then its refund is one of the invoice.
        any_value(notes.gross_amt) - coalesce(sum(applications.applied_amt), 0)
        - case
            when coalesce(sum(applications.applied_amt), 0) < any_value(notes.gross_amt)
                then any_value(coalesce(notes.refunded_amt, 0) + coalesce(notes.out_of_band_amt, 0))
            else 0
        end as unapplied_amt
    from {{ ref('int_credit_notes_current') }} as notes
    inner join dates
        on
            notes.issue_date <= dates.as_of_date
            and (notes.voided_date is null or notes.voided_date > dates.as_of_date)
    left join credit_applications as applications
        on
            notes.credit_note_key = applications.credit_note_key
            and dates.as_of_date >= applications.applied_date
    group by all
),

-- Credits that went to the customer's balance, less what invoices have taken from it.
balances as (
    select
        concat(customers.customer_key, ':balance') as document_key,
        'credit_balance' as document_type,
        customers.customer_key,
        allocations.currency_code,
        any_value(allocations.source_system) as source_system,
        any_value(allocations.connection) as connection,
        min(allocations.raw_version_id) as raw_version_id,
        min(allocations.applied_date) as document_date,
        dates.as_of_date,
        -sum(allocations.applied_amt) as unapplied_amt
    from allocations
    inner join customers on allocations.invoice_key = customers.invoice_key
    inner join dates on allocations.applied_date <= dates.as_of_date
    where allocations.kind = 'balance_credit'
    group by customers.customer_key, allocations.currency_code, dates.as_of_date
),

united as (
    select * from payments
    union all
    select * from credits
    union all
    select * from balances
),

final as (
    select
        united.document_key,
        united.document_type,
        united.customer_key,
        companies.company_key,
        united.currency_code,
        united.source_system,
        united.connection,
        united.raw_version_id,
        cast(united.unapplied_amt as {{ money_type() }}) as unapplied_amt,
        united.document_date,
        united.as_of_date
    from united
    left join companies on united.customer_key = companies.customer_key
    where united.unapplied_amt > 0
)

select * from final
