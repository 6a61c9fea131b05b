-- Grain: one row per landed version of an Odoo order line; sections and notes are none.

with real_lines as (
    select
        line_key,
        arg_max(order_id, (observed_at, sync_id, position)) as order_id
    from {{ ref('stg_odoo__order_lines') }}
    where has_content and display_type is null
    group by line_key
),

currencies as (
    select
        connection,
        currency_id,
        arg_max(upper(currency_code), (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_odoo__currencies') }}
    where has_content
    group by connection, currency_id
)

select
    lines.line_key as quote_line_key,
    lines.line_id,
    'odoo' as source_system,
    lines.connection,
    lines.connection || ':' || real_lines.order_id as stated_quote_key,
    lines.connection || ':' || lines.product_id as product_key,
    lines.line_name as product_name,
    currencies.currency_code,
    lines.quantity,
    lines.unit_price as unit_price_amt,
    cast(
        lines.quantity * cast(lines.unit_price as decimal(18, 6)) * lines.discount_percent / 100
        as {{ money_type() }}
    ) as discount_amt,
    lines.net_amount as net_amt,
    coalesce(
        lines.tax_amount, cast(lines.gross_amount - lines.net_amount as {{ money_type() }})
    ) as tax_amt,
    lines.change,
    lines.is_deleted,
    lines.observed_at,
    lines.sync_id,
    lines.position,
    lines.raw_version_id
from {{ ref('stg_odoo__order_lines') }} as lines
inner join real_lines on lines.line_key = real_lines.line_key
left join currencies
    on lines.connection = currencies.connection and lines.currency_id = currencies.currency_id
