-- Grain: one row per landed version of money that a customer paid: payments on sales invoices,
-- and what came in beyond or before an invoice. Of the latter the part that was paid back again
-- is no money of ours. A payment on an account of expenses is no money at all.

with invoices as (
    select *
    from {{ ref('stg_xero__invoices') }}
    qualify
        row_number() over (
            partition by invoice_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

accounts as (
    select *
    from {{ ref('stg_xero__accounts') }}
    qualify
        row_number() over (
            partition by account_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

payments as (
    select * from {{ ref('stg_xero__payments') }}
),

refunds as (
    select
        document_key,
        sum(amount) as refunded_amount
    from (
        select *
        from payments
        where payment_type in ('AROVERPAYMENTPAYMENT', 'ARPREPAYMENTPAYMENT')
        qualify
        row_number() over (
            partition by payment_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
    )
    where not is_deleted
    group by document_key
),

-- A deleted one keeps its content.
on_invoices as (
    select
        payments.payment_key,
        payments.source_system,
        payments.connection,
        payments.raw_version_id,
        coalesce(payments.contact_key, invoices.contact_key) as customer_key,
        case when payments.is_deleted then 'canceled' else 'succeeded' end as status,
        coalesce(payments.currency_code, invoices.currency_code) as currency_code,
        payments.amount as amount_amt,
        payments.is_deleted,
        payments.paid_date,
        payments.observed_at,
        payments.sync_id,
        payments.position
    from payments
    inner join invoices
        on payments.document_key = invoices.invoice_key and invoices.document_type = 'ACCREC'
    left join accounts
        on
            payments.connection = accounts.connection
            and payments.account_id = accounts.account_id
    where
        payments.payment_type = 'ACCRECPAYMENT'
        and accounts.account_class is distinct from 'EXPENSE'
),

on_account as (
    select
        overpayment_key as payment_key,
        * exclude (overpayment_key, overpayment_id)
    from {{ ref('stg_xero__overpayments') }}
    where document_type in ('RECEIVE-OVERPAYMENT', 'AROVERPAYMENT')
    union all by name
    select
        prepayment_key as payment_key,
        * exclude (prepayment_key, prepayment_id)
    from {{ ref('stg_xero__prepayments') }}
    where document_type in ('RECEIVE-PREPAYMENT', 'ARPREPAYMENT')
)

select * from on_invoices
union all
select
    on_account.payment_key,
    on_account.source_system,
    on_account.connection,
    on_account.raw_version_id,
    on_account.contact_key,
    case when on_account.status = 'VOIDED' then 'void' else 'succeeded' end,
    on_account.currency_code,
    cast(
        on_account.gross_amount - coalesce(refunds.refunded_amount, 0) as {{ money_type() }}
    ),
    on_account.is_deleted,
    on_account.issue_date,
    on_account.observed_at,
    on_account.sync_id,
    on_account.position
from on_account
left join refunds on on_account.payment_key = refunds.document_key
