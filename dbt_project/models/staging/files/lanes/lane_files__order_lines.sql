-- Grain: one row per landed version of a line of an order of a file.

select
    order_line_key,
    'files' as source_system,
    connection,
    concat(connection, ':') || order_id as order_key,
    line_id,
    coalesce(product_key, concat(connection, ':') || product_id) as product_key,
    description as product_name,
    sku,
    quantity,
    unit_price_amt,
    net_amt,
    coalesce(is_deliverable, true) as is_deliverable,
    promised_date,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_files__order_lines') }}
