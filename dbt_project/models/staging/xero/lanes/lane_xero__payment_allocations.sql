-- Grain: one row per application to a Xero sales invoice, in the invoice's currency: each version
-- of a payment on it, and the allocations inside the newest version of each credit note,
-- overpayment and prepayment (one that was taken back is not there any more).
--
-- Money never arrives on an account of expenses: a payment or credit note booked there gives the
-- invoice up. A credit that is dated before its invoice lowers it from its issue on. A cash refund
-- belongs to the credit note or overpayment that it pays out, and to no invoice.

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

expenses as (
    select *
    from accounts
    where account_class = 'EXPENSE'
),

notes as (
    select *
    from {{ ref('stg_xero__credit_notes') }}
    qualify
        row_number() over (
            partition by credit_note_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

overpayments as (
    select *
    from {{ ref('stg_xero__overpayments') }}
    qualify
        row_number() over (
            partition by overpayment_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

prepayments as (
    select *
    from {{ ref('stg_xero__prepayments') }}
    qualify
        row_number() over (
            partition by prepayment_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

note_lines as (
    select
        credit_note_key,
        connection,
        unnest(lines) as line
    from notes
),

-- Notes all of whose lines are booked as an expense.
written_off as (
    select note_lines.credit_note_key
    from note_lines
    left join expenses
        on
            note_lines.connection = expenses.connection
            and note_lines.line.AccountCode = expenses.account_code
    where note_lines.line.LineAmount <> 0
    group by note_lines.credit_note_key
    having count(*) = count(expenses.account_key)
),

-- One voided or deleted has given back what it was applied to.
credits as (
    select
        notes.credit_note_key as document_key,
        case when written_off.credit_note_key is null then notes.credit_note_key end
            as credit_note_key,
        cast(null as varchar) as payment_key,
        case when written_off.credit_note_key is null then 'credit_note' else 'write_off' end
            as kind,
        notes.allocations,
        notes.is_deleted or notes.status = 'VOIDED' as is_gone,
        notes.connection,
        notes.raw_version_id,
        notes.observed_at,
        notes.sync_id,
        notes.position
    from notes
    left join written_off on notes.credit_note_key = written_off.credit_note_key
    union all
    select
        overpayment_key,
        cast(null as varchar),
        overpayment_key,
        'payment',
        allocations,
        is_deleted or status = 'VOIDED',
        connection,
        raw_version_id,
        observed_at,
        sync_id,
        position
    from overpayments
    union all
    select
        prepayment_key,
        cast(null as varchar),
        prepayment_key,
        'prepayment',
        allocations,
        is_deleted or status = 'VOIDED',
        connection,
        raw_version_id,
        observed_at,
        sync_id,
        position
    from prepayments
),

numbered as (
    select
        *,
        unnest(range(1, len(allocations) + 1)) as number
    from credits
),

allocated as (
    select
        * exclude (allocations),
        allocations[number] as allocation
    from numbered
),

united as (
    select
        payments.payment_key as payment_allocation_key,
        payments.document_key as invoice_key,
        case when expenses.account_key is null then payments.payment_key end as payment_key,
        cast(null as varchar) as credit_note_key,
        payments.connection,
        payments.raw_version_id,
        case when expenses.account_key is null then 'payment' else 'write_off' end as kind,
        payments.amount as applied_amt,
        payments.is_deleted,
        payments.paid_date as applied_date,
        payments.observed_at,
        payments.sync_id,
        payments.position
    from {{ ref('stg_xero__payments') }} as payments
    left join expenses
        on
            payments.connection = expenses.connection
            and payments.account_id = expenses.account_id
    where payments.payment_type = 'ACCRECPAYMENT'
    union all
    select
        concat(
            document_key, ':',
            coalesce(allocation.AllocationID, concat(allocation.Invoice.InvoiceID, ':', number))
        ),
        concat(connection, ':', allocation.Invoice.InvoiceID),
        payment_key,
        credit_note_key,
        connection,
        raw_version_id,
        kind,
        allocation.Amount,
        is_gone or coalesce(allocation.IsDeleted, false),
        {{ xero_day('allocation.DateString', 'allocation.Date') }},
        observed_at,
        sync_id,
        position
    from allocated
)

select
    united.payment_allocation_key,
    united.invoice_key,
    united.payment_key,
    united.credit_note_key,
    'xero' as source_system,
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
        when united.kind in ('credit_note', 'write_off')
            then greatest(united.applied_date, invoices.issue_date)
        else united.applied_date
    end as applied_date,
    united.observed_at,
    united.sync_id,
    united.position
from united
inner join invoices
    on united.invoice_key = invoices.invoice_key and invoices.document_type = 'ACCREC'
