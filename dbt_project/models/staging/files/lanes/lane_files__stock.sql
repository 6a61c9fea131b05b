-- Grain: one row per landed version of a product's stock in a warehouse on a day of a file.

select
    stock_item_key as stock_record_key,
    concat_ws(
        '|', coalesce(product_key, concat(connection, ':') || product_id), warehouse_id
    ) as stock_item_key,
    'files' as source_system,
    connection,
    coalesce(product_key, concat(connection, ':') || product_id) as product_key,
    product_name,
    concat(connection, ':', coalesce(warehouse_id, 'default')) as warehouse_key,
    on_hand_qty,
    reserved_qty,
    inbound_qty,
    stock_date,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_files__stock') }}
