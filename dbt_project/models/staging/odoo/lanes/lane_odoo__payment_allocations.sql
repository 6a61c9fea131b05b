-- Grain: one row per landed version of what settles an Odoo invoice, in the invoice's
-- currency: the credit item of a partial reconciliation is a payment's, a credit note's or
-- that of another entry. A credit note that names its invoice and settles nothing of it is
-- told as an application of nothing, so that it lowers no balance by itself.

with items as (
    select
        connection,
        line_id,
        arg_max(move_id, (observed_at, sync_id, position)) as move_id,
        arg_max(journal_id, (observed_at, sync_id, position)) as journal_id
    from {{ ref('stg_odoo__invoice_lines') }}
    where has_content
    group by connection, line_id
),

-- An entry that is nobody's payment is one of the bank, or gives an invoice up.
general_journals as (
    select
        connection,
        journal_id
    from {{ ref('stg_odoo__journals') }}
    where has_content
    group by connection, journal_id
    having arg_max(journal_type, (observed_at, sync_id, position)) = 'general'
),

moves as (
    select
        connection,
        move_id,
        any_value(move_key) as move_key,
        arg_max(move_type, (observed_at, sync_id, position)) as move_type,
        arg_max(reversed_move_id, (observed_at, sync_id, position)) as reversed_move_id,
        arg_max(issue_date, (observed_at, sync_id, position)) as issue_date,
        max((observed_at, sync_id, position)) as newest,
        arg_max(raw_version_id, (observed_at, sync_id, position)) as raw_version_id
    from {{ ref('stg_odoo__invoices') }}
    where has_content
    group by connection, move_id
),

payments as (
    select
        connection,
        move_id,
        min(payment_key) as payment_key
    from {{ ref('stg_odoo__payments') }}
    where has_content and move_id is not null
    group by connection, move_id
),

-- What was undone shows nothing any more: what it settled is what we saw before.
reconciliations as (
    select
        reconciliation_key,
        connection,
        last_value(debit_line_id ignore nulls) over seen as debit_line_id,
        last_value(credit_line_id ignore nulls) over seen as credit_line_id,
        last_value(debit_amount ignore nulls) over seen as debit_amount,
        last_value(applied_date ignore nulls) over seen as applied_date,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_odoo__reconciliations') }}
    window seen as (
        partition by reconciliation_key order by observed_at, sync_id, position
        rows between unbounded preceding and current row
    )
),

settled as (
    select
        reconciliations.*,
        invoices.move_key as invoice_key,
        case when credits.move_type = 'out_refund' then credits.move_key end as credit_note_key,
        case
            when coalesce(credits.move_type, '') <> 'out_refund' and payments.payment_key is null
                and general_journals.journal_id is not null then 'write_off'
        end as kind,
        case
            when coalesce(credits.move_type, '') <> 'out_refund'
                and (payments.payment_key is not null or general_journals.journal_id is null)
                then coalesce(
                    payments.payment_key,
                    concat(reconciliations.connection, ':entry:', credit_items.move_id)
                )
        end as payment_key
    from reconciliations
    inner join items as debit_items
        on
            reconciliations.connection = debit_items.connection
            and reconciliations.debit_line_id = debit_items.line_id
    inner join moves as invoices
        on
            debit_items.connection = invoices.connection
            and debit_items.move_id = invoices.move_id
            and invoices.move_type in ('out_invoice', 'out_receipt')
    inner join items as credit_items
        on
            reconciliations.connection = credit_items.connection
            and reconciliations.credit_line_id = credit_items.line_id
    left join moves as credits
        on
            credit_items.connection = credits.connection
            and credit_items.move_id = credits.move_id
    left join payments
        on
            credit_items.connection = payments.connection
            and credit_items.move_id = payments.move_id
    left join general_journals
        on
            credit_items.connection = general_journals.connection
            and credit_items.journal_id = general_journals.journal_id
)

select
    reconciliation_key as payment_allocation_key,
    invoice_key,
    payment_key,
    credit_note_key,
    'odoo' as source_system,
    connection,
    raw_version_id,
    kind,
    debit_amount as applied_amt,
    is_deleted,
    applied_date,
    observed_at,
    sync_id,
    position
from settled

union all

select
    concat(refunds.move_key, ':nothing'),
    concat(refunds.connection, ':', refunds.reversed_move_id),
    null,
    refunds.move_key,
    'odoo',
    refunds.connection,
    refunds.raw_version_id,
    'credit_note',
    cast(0 as {{ money_type() }}),
    false,
    refunds.issue_date,
    struct_extract(refunds.newest, 1),
    struct_extract(refunds.newest, 2),
    struct_extract(refunds.newest, 3)
from moves as refunds
where refunds.move_type = 'out_refund' and refunds.reversed_move_id is not null
