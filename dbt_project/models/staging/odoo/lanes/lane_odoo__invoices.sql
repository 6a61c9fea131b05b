-- Grain: one row per landed version of an Odoo customer invoice or receipt.
--
-- Odoo keeps no date of a cancellation: it is taken from the edit that did it. The rate is the
-- document's own, where the company keeps its books in the reporting currency.

with moves as (
    select * from {{ ref('stg_odoo__invoices') }}
),

documents as (
    select distinct move_key
    from moves
    where move_type in ('out_invoice', 'out_receipt')
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

orders as (
    select
        connection,
        order_number,
        min(order_key) as order_key
    from {{ ref('stg_odoo__orders') }}
    where order_number is not null
    group by connection, order_number
)

select
    moves.move_key as invoice_key,
    'odoo' as source_system,
    moves.connection,
    moves.raw_version_id,
    moves.move_id as invoice_id,
    -- A draft has no number but a stroke.
    nullif(moves.move_number, '/') as invoice_number,
    case
        when moves.vendor_status = 'cancel' then 'void'
        when moves.vendor_status = 'draft' then 'draft'
        when moves.residual_amount = 0 then 'paid'
        else 'open'
    end as status,
    'standard' as kind,
    moves.connection || ':' || coalesce(moves.commercial_partner_id, moves.partner_id)
        as customer_key,
    moves.connection || ':' || coalesce(moves.commercial_partner_id, moves.partner_id)
        as company_reference,
    orders.order_key as quote_key,
    moves.customer_reference as po_number,
    moves.origin as memo,
    currencies.currency_code,
    moves.net_amount as net_amt,
    moves.tax_amount as tax_amt,
    moves.gross_amount as gross_amt,
    cast(0 as {{ money_type() }}) as discount_amt,
    cast(0 as {{ money_type() }}) as shipping_amt,
    moves.residual_amount as source_balance_amt,
    cast(0 as {{ money_type() }}) as overpaid_amt,
    case
        when own_currencies.currency_code = '{{ var("reporting_currency") }}'
            then cast(
                abs(cast(moves.company_gross_amount as double))
                / nullif(abs(cast(moves.gross_amount as double)), 0) as decimal(18, 9)
            )
    end as document_rate_to_rc,
    false as is_paid_out_of_band,
    false as is_subscription_start,
    false as has_more_lines,
    moves.is_deleted,
    coalesce(moves.issue_date, {{ company_date('moves.created_at') }}) as issue_date,
    moves.due_date,
    case when moves.vendor_status = 'cancel' then {{ company_date('moves.updated_at') }} end
        as voided_date,
    moves.observed_at,
    moves.sync_id,
    moves.position
from moves
inner join documents on moves.move_key = documents.move_key
left join currencies
    on moves.connection = currencies.connection and moves.currency_id = currencies.currency_id
left join currencies as own_currencies
    on
        moves.connection = own_currencies.connection
        and moves.company_currency_id = own_currencies.currency_id
left join orders
    on
        moves.connection = orders.connection
        and trim(split_part(moves.origin, ',', 1)) = orders.order_number
