-- Grain: one row per change of what an Odoo order line says is delivered: from one version to the
-- next, less is a return.
--
-- The moves of a transfer are not read. When it was: the order's newest transfer that was done by
-- then, else the line's own edit. What was delivered before our first look is one row.

with lines as (
    select
        *,
        delivered_quantity - coalesce(
            lag(delivered_quantity) over (
                partition by line_key order by observed_at, sync_id, position
            ), 0
        ) as moved_quantity
    from {{ ref('stg_odoo__order_lines') }}
    where has_content and display_type is null and delivered_quantity is not null
),

orders as (
    select
        connection,
        order_id,
        arg_max(order_number, (observed_at, sync_id, position)) as order_number,
        {{ company_date('arg_max(promised_at, (observed_at, sync_id, position))') }}
            as promised_date
    from {{ ref('stg_odoo__orders') }}
    where has_content
    group by connection, order_id
),

transfers as (
    select
        connection,
        transfer_id,
        arg_max(order_id, (observed_at, sync_id, position)) as order_id,
        arg_max(origin, (observed_at, sync_id, position)) as origin,
        arg_max(
            case when vendor_status = 'done' then done_at end, (observed_at, sync_id, position)
        ) as done_at
    from {{ ref('stg_odoo__deliveries') }}
    where has_content
    group by connection, transfer_id
),

of_orders as (
    select
        transfers.connection,
        coalesce(transfers.order_id, orders.order_id) as order_id,
        transfers.done_at
    from transfers
    left join orders
        on transfers.connection = orders.connection and transfers.origin = orders.order_number
    where transfers.done_at is not null
),

timed as (
    select
        lines.line_key,
        lines.raw_version_id,
        max(of_orders.done_at) as done_at,
        any_value(orders.promised_date) as promised_date
    from lines
    inner join orders
        on lines.connection = orders.connection and lines.order_id = orders.order_id
    left join of_orders
        on
            lines.connection = of_orders.connection
            and lines.order_id = of_orders.order_id
            and lines.observed_at >= of_orders.done_at
    where lines.moved_quantity <> 0
    group by lines.line_key, lines.raw_version_id
)

select
    lines.line_key || '|' || lines.raw_version_id as delivery_key,
    'odoo' as source_system,
    lines.connection,
    lines.line_key || '|' || lines.raw_version_id as shipment_id,
    lines.connection || ':' || lines.order_id as order_key,
    lines.line_key as order_line_key,
    false as is_cancelled,
    lines.moved_quantity as shipped_qty,
    timed.promised_date,
    coalesce(timed.done_at, lines.updated_at) as shipped_at,
    coalesce(timed.done_at, lines.updated_at) as delivered_at,
    'upsert' as change,
    false as is_deleted,
    lines.observed_at,
    lines.sync_id,
    lines.position,
    lines.raw_version_id
from lines
inner join timed
    on lines.line_key = timed.line_key and lines.raw_version_id = timed.raw_version_id
