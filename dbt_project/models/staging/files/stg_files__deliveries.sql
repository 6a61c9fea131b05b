-- Grain: one row per landed version of a shipment's line of a file.

{% set structure = {
    'shipment_id': 'VARCHAR',
    'order_id': 'VARCHAR',
    'line_id': 'VARCHAR',
    'status': 'VARCHAR',
    'warehouse_id': 'VARCHAR',
    'shipped_qty': 'DECIMAL(18,6)',
    'promised_date': 'DATE',
    'shipped_at': 'TIMESTAMPTZ',
    'delivered_at': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'deliveries') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as delivery_key,
        landed.connection,
        nullif(trim(landed.record.shipment_id), '') as shipment_id,
        nullif(trim(landed.record.order_id), '') as order_id,
        nullif(trim(landed.record.line_id), '') as line_id,
        lower(nullif(trim(landed.record.status), '')) as vendor_status,
        nullif(trim(landed.record.warehouse_id), '') as warehouse_id,
        landed.record.shipped_qty as shipped_qty,
        landed.record.promised_date as promised_date,
        landed.record.shipped_at as shipped_at,
        landed.record.delivered_at as delivered_at,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
