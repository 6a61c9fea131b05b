-- Grain: one row per landed version of a line of an Odoo sales order; sections and notes are none, and
-- a line of a quotation that was never confirmed is a quote's. What is not delivered by stock moves
-- (by hand, by time sheets) is a service.

with orders as (
    select distinct order_key from {{ ref('lane_odoo__orders') }}
),

lines as (
    select
        *,
        -- What is gone says no more whose it was.
        connection || ':' || last_value(order_id ignore nulls) over (
            partition by line_key
            order by observed_at, sync_id, position
            rows between unbounded preceding and current row
        ) as order_key
    from {{ ref('stg_odoo__order_lines') }}
    where display_type is null
)

select
    lines.line_key as order_line_key,
    'odoo' as source_system,
    lines.connection,
    lines.order_key,
    lines.line_id,
    lines.connection || ':' || lines.product_id as product_key,
    lines.line_name as product_name,
    cast(lines.quantity as decimal(18, 6)) as quantity,
    lines.unit_price as unit_price_amt,
    lines.net_amount as net_amt,
    coalesce(lines.delivered_method = 'stock_move', true) as is_deliverable,
    lines.change,
    lines.is_deleted,
    lines.observed_at,
    lines.sync_id,
    lines.position,
    lines.raw_version_id
from lines
inner join orders on lines.order_key = orders.order_key
