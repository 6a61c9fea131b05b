-- Grain: one row per landed version of a product's stock in a warehouse on a day of a file.

{% set structure = {
    'product_id': 'VARCHAR',
    'product_key': 'VARCHAR',
    'product_name': 'VARCHAR',
    'warehouse_id': 'VARCHAR',
    'on_hand_qty': 'DECIMAL(18,6)',
    'reserved_qty': 'DECIMAL(18,6)',
    'inbound_qty': 'DECIMAL(18,6)',
    'stock_date': 'DATE',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'stock') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as stock_item_key,
        landed.connection,
        nullif(trim(landed.record.product_id), '') as product_id,
        nullif(trim(landed.record.product_key), '') as product_key,
        nullif(trim(landed.record.product_name), '') as product_name,
        nullif(trim(landed.record.warehouse_id), '') as warehouse_id,
        landed.record.on_hand_qty as on_hand_qty,
        landed.record.reserved_qty as reserved_qty,
        landed.record.inbound_qty as inbound_qty,
        landed.record.stock_date as stock_date,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
