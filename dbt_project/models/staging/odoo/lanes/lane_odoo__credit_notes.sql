-- Grain: one row per landed version of an Odoo customer credit note. Its invoice is the one it
-- reverses, else the one of which it settles most; what was paid out for it is refunded.

with moves as (
    select * from {{ ref('stg_odoo__invoices') }}
),

documents as (
    select distinct move_key
    from moves
    where move_type = 'out_refund'
),

currencies as (
    select
        connection,
        currency_id,
        arg_max(upper(currency_code), (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_odoo__currencies') }}
    where has_content
    group by connection, currency_id
),

settled as (
    select
        credit_note_key,
        arg_max(invoice_key, applied_amt) as invoice_key
    from {{ ref('lane_odoo__payment_allocations') }}
    where credit_note_key is not null and applied_amt > 0 and not is_deleted
    group by credit_note_key
),

items as (
    select
        connection,
        line_id,
        arg_max(move_id, (observed_at, sync_id, position)) as move_id
    from {{ ref('stg_odoo__invoice_lines') }}
    where has_content
    group by connection, line_id
),

reconciliations as (
    select *
    from {{ ref('stg_odoo__reconciliations') }}
    qualify
        row_number() over (
            partition by reconciliation_key order by observed_at desc, sync_id desc, position desc
        ) = 1
),

invoice_moves as (
    select distinct connection, move_id
    from moves
    where move_type in ('out_invoice', 'out_receipt')
),

-- Money that went out against the credit note's own item.
refunded as (
    select
        credit_items.connection,
        credit_items.move_id,
        sum(reconciliations.credit_amount) as refunded_amt
    from reconciliations
    inner join items as credit_items
        on
            reconciliations.connection = credit_items.connection
            and reconciliations.credit_line_id = credit_items.line_id
    inner join items as debit_items
        on
            reconciliations.connection = debit_items.connection
            and reconciliations.debit_line_id = debit_items.line_id
    left join invoice_moves
        on
            debit_items.connection = invoice_moves.connection
            and debit_items.move_id = invoice_moves.move_id
    where not reconciliations.is_deleted and invoice_moves.move_id is null
    group by credit_items.connection, credit_items.move_id
)

select
    moves.move_key as credit_note_key,
    coalesce(settled.invoice_key, moves.connection || ':' || moves.reversed_move_id)
        as invoice_key,
    moves.connection || ':' || coalesce(moves.commercial_partner_id, moves.partner_id)
        as customer_key,
    'odoo' as source_system,
    moves.connection,
    moves.raw_version_id,
    nullif(moves.move_number, '/') as credit_note_number,
    case moves.vendor_status when 'cancel' then 'void' when 'draft' then 'draft' else 'issued' end
        as status,
    moves.customer_reference as reason,
    currencies.currency_code,
    cast([] as varchar[]) as refund_keys,
    moves.net_amount as net_amt,
    moves.tax_amount as tax_amt,
    moves.gross_amount as gross_amt,
    cast(
        moves.gross_amount - least(coalesce(refunded.refunded_amt, 0), moves.gross_amount)
        as {{ money_type() }}
    ) as pre_payment_amt,
    cast(least(coalesce(refunded.refunded_amt, 0), moves.gross_amount) as {{ money_type() }})
        as refunded_amt,
    cast(0 as {{ money_type() }}) as credited_to_balance_amt,
    cast(0 as {{ money_type() }}) as out_of_band_amt,
    moves.is_deleted,
    coalesce(moves.issue_date, {{ company_date('moves.created_at') }}) as issue_date,
    case when moves.vendor_status = 'cancel' then {{ company_date('moves.updated_at') }} end
        as voided_date,
    moves.observed_at,
    moves.sync_id,
    moves.position
from moves
inner join documents on moves.move_key = documents.move_key
left join currencies
    on moves.connection = currencies.connection and moves.currency_id = currencies.currency_id
left join settled on moves.move_key = settled.credit_note_key
left join refunded
    on moves.connection = refunded.connection and moves.move_id = refunded.move_id
