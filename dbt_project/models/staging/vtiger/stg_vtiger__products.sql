-- Grain: one row per landed version of a product.

{% set structure = {
    'productname': 'VARCHAR',
    'productcode': 'VARCHAR',
    'productcategory': 'VARCHAR',
    'unit_price': 'DECIMAL(24,4)',
    'qtyinstock': 'DECIMAL(24,6)',
    'createdtime': 'TIMESTAMPTZ',
    'modifiedtime': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'products') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as product_key,
        landed.record_id as product_id,
        landed.connection,
        nullif(trim(landed.record.productname), '') as product_name,
        nullif(trim(landed.record.productcode), '') as sku,
        nullif(trim(landed.record.productcategory), '') as category,
        cast(landed.record.unit_price as {{ money_type() }}) as unit_price_amount,
        landed.record.qtyinstock as stock_quantity,
        -- The text bears no zone; the connector knows it, and has read modifiedtime by it.
        landed.record.createdtime + {{ vtiger_offset() }} as created_at,
        coalesce(landed.source_updated_at, landed.record.modifiedtime) as updated_at,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
