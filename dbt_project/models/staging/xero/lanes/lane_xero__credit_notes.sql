-- Grain: one row per landed version of a credit note to a customer. Xero's note names no invoice:
-- its invoice is the one to which most of it is allocated. What was paid out in cash is refunded;
-- what is left stays with the customer. A note that only writes off is no credit
-- (lane_xero__payment_allocations).

with notes as (
    select *
    from {{ ref('stg_xero__credit_notes') }}
    where document_type = 'ACCRECCREDIT'
),

allocations as (
    select
        credit_note_key,
        arg_max(invoice_key, applied_amt) as invoice_key
    from {{ ref('lane_xero__payment_allocations') }}
    where credit_note_key is not null and not is_deleted
    group by credit_note_key
),

refunds as (
    select
        document_key,
        list(payment_key order by payment_key) as refund_keys,
        sum(amount) as refunded_amount
    from (
        select *
        from {{ ref('stg_xero__payments') }}
        where payment_type = 'ARCREDITPAYMENT'
        qualify
        row_number() over (
            partition by payment_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
    )
    where not is_deleted
    group by document_key
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

note_lines as (
    select
        credit_note_key,
        connection,
        unnest(lines) as line
    from (
        select *
        from notes
        qualify
        row_number() over (
            partition by credit_note_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
    )
),

written_off as (
    select note_lines.credit_note_key
    from note_lines
    left join accounts
        on
            note_lines.connection = accounts.connection
            and note_lines.line.AccountCode = accounts.account_code
    where note_lines.line.LineAmount <> 0
    group by note_lines.credit_note_key
    having bool_and(accounts.account_class is not distinct from 'EXPENSE')
)

select
    notes.credit_note_key,
    allocations.invoice_key,
    notes.contact_key as customer_key,
    notes.source_system,
    notes.connection,
    notes.raw_version_id,
    notes.credit_note_number,
    case
        when notes.status = 'VOIDED' then 'void'
        when notes.status in ('DRAFT', 'SUBMITTED') then 'draft'
        else 'issued'
    end as status,
    notes.reference as reason,
    notes.currency_code,
    coalesce(refunds.refund_keys, cast([] as varchar[])) as refund_keys,
    cast(notes.net_amount as {{ money_type() }}) as net_amt,
    notes.tax_amount as tax_amt,
    notes.gross_amount as gross_amt,
    cast(
        notes.gross_amount - least(coalesce(refunds.refunded_amount, 0), notes.gross_amount)
        - coalesce(notes.remaining_amount, 0) as {{ money_type() }}
    ) as pre_payment_amt,
    cast(least(coalesce(refunds.refunded_amount, 0), notes.gross_amount) as {{ money_type() }})
        as refunded_amt,
    coalesce(notes.remaining_amount, 0) as credited_to_balance_amt,
    cast(0 as {{ money_type() }}) as out_of_band_amt,
    notes.is_deleted,
    notes.issue_date,
    case when notes.status = 'VOIDED' then {{ company_date('notes.source_updated_at') }} end
        as voided_date,
    notes.observed_at,
    notes.sync_id,
    notes.position
from notes
left join allocations on notes.credit_note_key = allocations.credit_note_key
left join refunds on notes.credit_note_key = refunds.document_key
left join written_off on notes.credit_note_key = written_off.credit_note_key
where written_off.credit_note_key is null
