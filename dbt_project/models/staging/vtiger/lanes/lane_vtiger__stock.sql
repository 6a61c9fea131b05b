-- Grain: one row per product of Vtiger x business date on which its record changed: one stock for
-- the whole company.

select
    concat_ws('|', product_key, {{ company_date('updated_at') }}) as stock_record_key,
    product_key as stock_item_key,
    'vtiger' as source_system,
    connection,
    product_key,
    product_name,
    connection || ':default' as warehouse_key,
    cast(stock_quantity as decimal(18, 6)) as on_hand_qty,
    {{ company_date('updated_at') }} as stock_date,
    change,
    false as is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_vtiger__products') }}
where change = 'upsert' and stock_quantity is not null
