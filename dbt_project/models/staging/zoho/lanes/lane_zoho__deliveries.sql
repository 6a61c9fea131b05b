-- Grain: one row per line of a sales order of Zoho that is called delivered: as a whole, at the edit
-- that said so this time. Zoho knows no shipments of an order.

with orders as (
    select
        *,
        max(
            case when vendor_status is distinct from 'delivered' then observed_at end
        ) over (partition by order_key) as last_short_at
    from {{ ref('stg_zoho__sales_orders') }}
    where change = 'upsert'
),

delivered as (
    select
        order_key,
        min(updated_at) as delivered_at,
        arg_max(promised_date, (observed_at, sync_id, position)) as promised_date
    from orders
    where last_short_at is null or observed_at > last_short_at
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
    'delivered' as vendor_status,
    lines.quantity as shipped_qty,
    delivered.promised_date,
    delivered.delivered_at as shipped_at,
    delivered.delivered_at,
    lines.change,
    lines.is_deleted,
    lines.observed_at,
    lines.sync_id,
    lines.position,
    lines.raw_version_id
from {{ ref('lane_zoho__order_lines') }} as lines
inner join delivered on lines.order_key = delivered.order_key
