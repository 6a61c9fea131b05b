-- Grain: one row per landed version of money that a customer paid: payments, sales that were paid
-- at once, and deposits that were taken with an invoice. A payment that never was more than zero
-- only applies a credit, and is no money.

with payments as (
    select
        *,
        max(paid_amount) over (partition by payment_key) as most_amount
    from {{ ref('stg_quickbooks__payments') }}
),

deposits as (
    select
        *,
        max(deposit_amount) over (partition by document_key) as most_amount
    from {{ ref('stg_quickbooks__invoices') }}
),

homes as (
    {{ quickbooks_homes() }}
),

united as (
    select
        payment_key,
        source_system,
        connection,
        raw_version_id,
        customer_key,
        payment_method,
        paid_amount = 0 as is_void,
        currency_code,
        paid_amount,
        is_deleted,
        paid_date,
        observed_at,
        sync_id,
        position
    from payments
    where most_amount > 0
    union all
    select
        document_key,
        source_system,
        connection,
        raw_version_id,
        customer_key,
        payment_method,
        is_void,
        currency_code,
        gross_amount,
        is_deleted,
        issue_date,
        observed_at,
        sync_id,
        position
    from {{ ref('stg_quickbooks__sales_receipts') }}
    union all
    select
        {{ quickbooks_deposit_key('document_key') }},
        source_system,
        connection,
        raw_version_id,
        customer_key,
        payment_method,
        is_void or deposit_amount = 0,
        currency_code,
        deposit_amount,
        is_deleted,
        issue_date,
        observed_at,
        sync_id,
        position
    from deposits
    where most_amount > 0
)

select
    united.payment_key,
    united.source_system,
    united.connection,
    united.raw_version_id,
    united.customer_key,
    united.payment_method as method,
    case
        when united.is_void then 'void'
        when united.is_deleted then 'canceled'
        else 'succeeded'
    end as status,
    coalesce(united.currency_code, homes.home_currency_code) as currency_code,
    united.paid_amount as amount_amt,
    united.is_deleted,
    united.paid_date,
    united.observed_at,
    united.sync_id,
    united.position
from united
left join homes on united.connection = homes.connection
