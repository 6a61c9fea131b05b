-- Grain: one row per application to a QuickBooks invoice, in the invoice's currency, of the newest
-- version of each payment; each sale that was paid at once, and each deposit that was taken with
-- its invoice.
--
-- A credit memo is applied by a payment that names both. One whose items are booked as an expense
-- gives the invoice up. A credit that is dated before its invoice lowers it from its issue on. A
-- journal entry that settles an invoice is neither money nor a credit note.

with invoices as (
    select
        document_key,
        arg_max(issue_date, (observed_at, sync_id, position)) as issue_date
    from {{ ref('stg_quickbooks__invoices') }}
    where has_content
    group by document_key
),

write_offs as (
    {{ quickbooks_write_offs() }}
),

memos as (
    select
        document_key,
        arg_max(is_deleted, (observed_at, sync_id, position)) as is_deleted
    from {{ ref('stg_quickbooks__credit_memos') }}
    group by document_key
),

receipts as (
    select
        document_key,
        document_key as payment_key,
        source_system,
        connection,
        raw_version_id,
        gross_amount as applied_amt,
        is_deleted,
        issue_date,
        observed_at,
        sync_id,
        position
    from {{ ref('stg_quickbooks__sales_receipts') }}
    union all
    select
        document_key,
        {{ quickbooks_deposit_key('document_key') }},
        source_system,
        connection,
        raw_version_id,
        deposit_amount,
        is_deleted or deposit_amount = 0,
        issue_date,
        observed_at,
        sync_id,
        position
    from (
        select
            *,
            max(deposit_amount) over (partition by document_key) as most_amount
        from {{ ref('stg_quickbooks__invoices') }}
    )
    where most_amount > 0
),

united as (
    select
        applications.application_key as payment_allocation_key,
        applications.connection || ':' || applications.settled_id as invoice_key,
        case when applications.settling_type = 'Cash' then applications.payment_key end
            as payment_key,
        case
            when
                applications.settling_type = 'CreditMemo' and write_offs.document_key is null
                then applications.connection || ':' || applications.settling_id
        end as credit_note_key,
        applications.connection,
        applications.raw_version_id,
        case
            when applications.settling_type = 'Cash' then 'payment'
            when write_offs.document_key is not null then 'write_off'
            when applications.settling_type = 'CreditMemo' then 'credit_note'
            else 'balance_credit'
        end as kind,
        applications.applied_amount as applied_amt,
        applications.is_deleted or coalesce(memos.is_deleted, false) as is_deleted,
        applications.applied_date,
        applications.observed_at,
        applications.sync_id,
        applications.position
    from {{ ref('stg_quickbooks__applications') }} as applications
    left join memos
        on
            applications.settling_type = 'CreditMemo'
            and applications.connection || ':' || applications.settling_id = memos.document_key
    left join write_offs on memos.document_key = write_offs.document_key
    where applications.settled_type = 'Invoice'
)

select
    united.payment_allocation_key,
    united.invoice_key,
    united.payment_key,
    united.credit_note_key,
    'quickbooks' as source_system,
    united.connection,
    united.raw_version_id,
    case
        -- What was paid before the invoice was issued was paid on account.
        when united.kind = 'payment' and united.applied_date < invoices.issue_date
            then 'prepayment'
        else united.kind
    end as kind,
    united.applied_amt,
    united.is_deleted,
    case
        when united.kind in ('payment', 'prepayment') then united.applied_date
        else greatest(united.applied_date, invoices.issue_date)
    end as applied_date,
    united.observed_at,
    united.sync_id,
    united.position
from united
inner join invoices on united.invoice_key = invoices.document_key
union all
select
    payment_key,
    document_key,
    payment_key,
    cast(null as varchar),
    source_system,
    connection,
    raw_version_id,
    'payment',
    applied_amt,
    is_deleted,
    issue_date,
    observed_at,
    sync_id,
    position
from receipts
