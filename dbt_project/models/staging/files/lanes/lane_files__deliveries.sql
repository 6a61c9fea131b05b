-- Grain: one row per landed version of a line of a shipment of a file.

select
    delivery_key,
    'files' as source_system,
    connection,
    shipment_id,
    concat(connection, ':') || order_id as order_key,
    concat(connection, ':') || order_id || ':' || line_id as order_line_key,
    concat(connection, ':') || warehouse_id as warehouse_key,
    coalesce(vendor_status in ('cancelled', 'canceled'), false) as is_cancelled,
    vendor_status,
    shipped_qty,
    promised_date,
    shipped_at,
    -- What comes back has one day only: when it is back.
    case
        when shipped_qty < 0 then coalesce(delivered_at, shipped_at) else delivered_at
    end as delivered_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_files__deliveries') }}
