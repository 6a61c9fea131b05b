-- Grain: one row per application to a Chargebee invoice, as the newest versions of the invoice
-- and of its credit notes state it: payments, tax that the customer withheld, credit of the
-- customer's balance, refunds of credit notes, chargebacks.

with invoices as (
    select *
    from {{ ref('stg_chargebee__invoices') }}
    qualify
        row_number() over (
            partition by invoice_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

notes as (
    select *
    from {{ ref('stg_chargebee__credit_notes') }}
    qualify
        row_number() over (
            partition by credit_note_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

refunded as (
    select
        transaction_key,
        arg_max(refunded_transaction_key, (observed_at, sync_id, position)) as payment_key
    from {{ ref('stg_chargebee__transactions') }}
    where transaction_type = 'refund' and refunded_transaction_key is not null
    group by transaction_key
),

linked_payments as (
    select
        *,
        unnest(payments) as part
    from invoices
),

linked_taxes as (
    select
        *,
        unnest(taxes_withheld) as part
    from invoices
),

linked_credits as (
    select
        *,
        unnest(applied_credits) as part
    from invoices
),

linked_refunds as (
    select
        *,
        {{ list_total('refunds', 'one.applied_amount') }} as refunded_minor,
        unnest(refunds) as part
    from notes
    where status <> 'voided' and invoice_key is not null
),

payments as (
    select
        concat_ws(':', invoice_key, part.txn_id, part.applied_at) as payment_allocation_key,
        invoice_key,
        connection || ':' || part.txn_id as payment_key,
        cast(null as varchar) as credit_note_key,
        source_system,
        connection,
        raw_version_id,
        case
            when
                {{ company_date(chargebee_instant('coalesce(part.applied_at, part.txn_date)')) }}
                < {{ company_date('issued_at') }}
                then 'prepayment'
            else 'payment'
        end as kind,
        currency_code,
        part.applied_amount as applied_minor,
        is_deleted,
        {{ chargebee_instant('coalesce(part.applied_at, part.txn_date)') }} as applied_at,
        observed_at,
        sync_id,
        position
    from linked_payments
    where part.txn_status = 'success' and part.applied_amount <> 0
),

taxes as (
    select
        concat_ws(':', invoice_key, part.id, 'withheld') as payment_allocation_key,
        invoice_key,
        cast(null as varchar) as payment_key,
        cast(null as varchar) as credit_note_key,
        source_system,
        connection,
        raw_version_id,
        'payment' as kind,
        currency_code,
        part.amount as applied_minor,
        is_deleted,
        coalesce({{ chargebee_instant('part.date') }}, issued_at) as applied_at,
        observed_at,
        sync_id,
        position
    from linked_taxes
    where part.amount <> 0
),

credits as (
    select
        concat_ws(':', invoice_key, part.cn_id, part.applied_at) as payment_allocation_key,
        invoice_key,
        cast(null as varchar) as payment_key,
        connection || ':' || part.cn_id as credit_note_key,
        source_system,
        connection,
        raw_version_id,
        'balance_credit' as kind,
        currency_code,
        part.applied_amount as applied_minor,
        is_deleted,
        {{ chargebee_instant('coalesce(part.applied_at, part.cn_date)') }} as applied_at,
        observed_at,
        sync_id,
        position
    from linked_credits
    where part.cn_status is distinct from 'voided' and part.applied_amount <> 0
),

refunds as (
    select
        concat_ws(':', linked_refunds.credit_note_key, linked_refunds.part.txn_id)
            as payment_allocation_key,
        linked_refunds.invoice_key,
        refunded.payment_key,
        -- A chargeback is no credit: the note is only how it is booked.
        case
            when not coalesce(
                linked_refunds.reason = 'chargeback'
                and linked_refunds.refunded_minor = linked_refunds.total_minor, false
            ) then linked_refunds.credit_note_key
        end as credit_note_key,
        linked_refunds.source_system,
        linked_refunds.connection,
        linked_refunds.raw_version_id,
        case
            when
                linked_refunds.reason = 'chargeback'
                and linked_refunds.refunded_minor = linked_refunds.total_minor
                then 'dispute'
            else 'refund'
        end as kind,
        linked_refunds.currency_code,
        linked_refunds.part.applied_amount as applied_minor,
        linked_refunds.is_deleted,
        {{ chargebee_instant(
            'coalesce(linked_refunds.part.applied_at, linked_refunds.part.txn_date)') }}
            as applied_at,
        linked_refunds.observed_at,
        linked_refunds.sync_id,
        linked_refunds.position
    from linked_refunds
    left join refunded
        on
            linked_refunds.connection || ':' || linked_refunds.part.txn_id
            = refunded.transaction_key
),

united as (
    select * from payments
    union all
    select * from taxes
    union all
    select * from credits
    union all
    select * from refunds
)

select
    payment_allocation_key,
    invoice_key,
    payment_key,
    credit_note_key,
    source_system,
    connection,
    raw_version_id,
    kind,
    {{ chargebee_money('applied_minor', 'currency_code') }} as applied_amt,
    is_deleted,
    {{ company_date('applied_at') }} as applied_date,
    observed_at,
    sync_id,
    position
from united
