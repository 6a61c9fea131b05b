-- Grain: one row per landed version of a line of an Odoo sales order; sections and notes are none.
-- What is not delivered by stock moves (by hand, by time sheets) is a service.

select
    line_key as order_line_key,
    'odoo' as source_system,
    connection,
    connection || ':' || order_id as order_key,
    line_id,
    connection || ':' || product_id as product_key,
    line_name as product_name,
    cast(quantity as decimal(18, 6)) as quantity,
    unit_price as unit_price_amt,
    net_amount as net_amt,
    coalesce(delivered_method = 'stock_move', true) as is_deliverable,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_odoo__order_lines') }}
where display_type is null
