-- Grain: one row per invoice, newest state; drafts have no issue date and are not billed.

with invoices as (
    select * from {{ ref('int_invoices_valued') }}
),

allocations as (
    select
        invoice_key,
        sum(applied_amt) as settled_amt,
        sum(case when kind in ('payment', 'prepayment') then applied_amt else 0 end) as paid_amt,
        sum(case when kind = 'credit_note' then applied_amt else 0 end) as credited_gross_amt
    from {{ ref('int_payment_allocations') }}
    group by invoice_key
),

disputed as (
    select distinct allocations.invoice_key
    from {{ ref('int_payment_allocations') }} as allocations
    inner join {{ ref('int_payments_current') }} as payments
        on allocations.payment_key = payments.payment_key
    where payments.is_disputed
),

overpaid as (
    select
        invoice_key,
        -sum(applied_amt) as overpaid_amt
    from {{ ref('int_payment_allocations') }}
    where payment_allocation_key like '%:overpaid'
    group by invoice_key
),

final as (
    select
        invoices.invoice_key,
        invoices.invoice_id,
        invoices.invoice_number as number,
        invoices.kind,
        invoices.status,
        invoices.customer_key,
        invoices.company_key,
        invoices.subscription_key,
        invoices.quote_key,
        invoices.po_number,
        invoices.superseded_by as superseded_by_invoice,
        invoices.currency_code,
        invoices.rate_source,
        invoices.source_system,
        invoices.connection,
        invoices.raw_version_id,
        invoices.net_amt,
        invoices.tax_amt,
        invoices.gross_amt,
        invoices.discount_amt,
        cast(coalesce(allocations.paid_amt, 0) as {{ money_type() }}) as paid_gross_amt,
        cast(coalesce(allocations.credited_gross_amt, 0) as {{ money_type() }})
            as credited_gross_amt,
        cast(coalesce(overpaid.overpaid_amt, 0) as {{ money_type() }}) as overpaid_amt,
        cast(
            case
                -- A void invoice owes nothing; what is still applied to it is check B-06.
                when invoices.status in ('draft', 'void') then 0
                else invoices.gross_amt - coalesce(allocations.settled_amt, 0)
            end as {{ money_type() }}
        ) as balance_amt,
        invoices.source_balance_amt,
        invoices.net_rc,
        invoices.rate_to_rc,
        invoices.is_billable,
        disputed.invoice_key is not null as is_disputed,
        invoices.is_deleted,
        invoices.issue_date,
        invoices.due_date,
        invoices.voided_date,
        invoices.written_off_date,
        invoices.paid_date,
        invoices.service_start,
        invoices.service_end
    from invoices
    left join allocations on invoices.invoice_key = allocations.invoice_key
    left join disputed on invoices.invoice_key = disputed.invoice_key
    left join overpaid on invoices.invoice_key = overpaid.invoice_key
)

select * from final
