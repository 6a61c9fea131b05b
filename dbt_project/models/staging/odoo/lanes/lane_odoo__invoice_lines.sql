-- Grain: one row per landed version of a line of an Odoo customer invoice or receipt. Journal
-- items for tax, receivables and the like are no lines; sections and notes are words.

with documents as (
    select
        connection,
        move_id,
        any_value(move_key) as move_key
    from {{ ref('stg_odoo__invoices') }}
    where move_type in ('out_invoice', 'out_receipt')
    group by connection, move_id
),

-- A deleted line shows nothing: what it was is what we saw before.
lines as (
    select
        line_key,
        connection,
        last_value(move_id ignore nulls) over seen as move_id,
        last_value(case when has_content then coalesce(display_type, 'product') end ignore nulls)
            over seen as display_type,
        last_value(case when has_content then is_outside_of_invoice end ignore nulls) over seen
            as is_outside_of_invoice,
        line_text,
        product_id,
        quantity,
        unit_price,
        discount_percent,
        net_amount,
        gross_amount,
        booked_amount,
        service_start,
        service_end,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_odoo__invoice_lines') }}
    window seen as (
        partition by line_key order by observed_at, sync_id, position
        rows between unbounded preceding and current row
    )
)

select
    lines.line_key as invoice_line_key,
    documents.move_key as invoice_key,
    'odoo' as source_system,
    lines.connection,
    lines.raw_version_id,
    'item' as line_kind,
    lines.line_text as line_description,
    lines.connection || ':' || lines.product_id as product_key,
    lines.quantity,
    lines.unit_price as unit_price_amt,
    -- Cash rounding is booked, and has no price.
    case
        when lines.display_type = 'rounding'
            then cast(-lines.booked_amount as {{ money_type() }})
        else lines.net_amount
    end as net_amt,
    case
        when lines.display_type = 'rounding' then cast(0 as {{ money_type() }})
        else cast(lines.gross_amount - lines.net_amount as {{ money_type() }})
    end as tax_amt,
    cast(
        case
            when lines.discount_percent > 0 and lines.discount_percent < 100
                then cast(lines.net_amount as double) / (100 - cast(lines.discount_percent as double))
                * cast(lines.discount_percent as double)
            else 0
        end as {{ money_type() }}
    ) as discount_amt,
    false as is_proration,
    lines.is_deleted,
    lines.service_start,
    lines.service_end,
    lines.observed_at,
    lines.sync_id,
    lines.position
from lines
inner join documents
    on lines.connection = documents.connection and lines.move_id = documents.move_id
where
    lines.display_type in ('product', 'rounding')
    and not coalesce(lines.is_outside_of_invoice, false)
