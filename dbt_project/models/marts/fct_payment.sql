-- Grain: one row per payment received. amount_amt is what the payer paid, gross of the fee
-- that the processor withheld; fee and settled amounts are in the settled currency.

with payments as (
    select * from {{ ref('int_payments_current') }}
),

applied as (
    select
        payment_key,
        sum(case when kind in ('payment', 'prepayment') then applied_amt else 0 end) as applied_amt,
        -sum(case when kind = 'refund' then applied_amt else 0 end) as refunded_amt,
        count(distinct invoice_key) as n_invoices
    from {{ ref('int_payment_allocations') }}
    where payment_key is not null
    group by payment_key
),

final as (
    select
        payments.payment_key,
        payments.customer_key,
        payments.method,
        payments.currency_code,
        payments.settled_currency_code,
        payments.source_system,
        payments.connection,
        payments.raw_version_id,
        payments.amount_amt,
        cast(coalesce(applied.applied_amt, 0) as {{ money_type() }}) as applied_amt,
        cast(payments.amount_amt - coalesce(applied.applied_amt, 0) as {{ money_type() }})
            as unapplied_amt,
        cast(coalesce(applied.refunded_amt, 0) as {{ money_type() }}) as refunded_amt,
        payments.fee_amt,
        payments.settled_gross_amt,
        payments.settled_net_amt,
        cast(coalesce(applied.n_invoices, 0) as bigint) as n_invoices,
        payments.is_out_of_band,
        payments.is_disputed,
        false as is_deleted,
        payments.paid_date,
        payments.not_before_date
    from payments
    left join applied on payments.payment_key = applied.payment_key
)

select * from final
