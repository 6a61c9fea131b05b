-- Grain: one row per line of a sales order of Zoho that is called delivered: as a whole, at the edit
-- that first said so. Zoho knows no shipments of an order.

with orders as (
    select
        order_key,
        min(updated_at) filter (where vendor_status = 'delivered') as delivered_at,
        arg_max(promised_date, (observed_at, sync_id, position)) as promised_date,
        arg_max(vendor_status, (observed_at, sync_id, position)) as vendor_status
    from {{ ref('stg_zoho__sales_orders') }}
    where change = 'upsert'
    group by order_key
)

select
    lines.order_line_key || '|delivered' as delivery_key,
    lines.source_system,
    lines.connection,
    lines.order_key || '|delivered' as shipment_id,
    lines.order_key,
    lines.order_line_key,
    false as is_cancelled,
    orders.vendor_status,
    lines.quantity as shipped_qty,
    orders.promised_date,
    orders.delivered_at as shipped_at,
    orders.delivered_at,
    lines.change,
    lines.is_deleted,
    lines.observed_at,
    lines.sync_id,
    lines.position,
    lines.raw_version_id
from {{ ref('lane_zoho__order_lines') }} as lines
inner join orders on lines.order_key = orders.order_key
where orders.vendor_status = 'delivered'
