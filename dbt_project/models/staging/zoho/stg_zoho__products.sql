-- Grain: one row per landed version of a product.

{% set structure = {
    'Product_Name': 'VARCHAR',
    'Product_Code': 'VARCHAR',
    'Unit_Price': 'DECIMAL(24,4)',
    'Qty_in_Stock': 'DECIMAL(24,6)',
    'Qty_in_Demand': 'DECIMAL(24,6)',
    'Qty_Ordered': 'DECIMAL(24,6)',
    'Modified_Time': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'products') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as product_key,
        landed.record_id as product_id,
        landed.connection,
        nullif(trim(landed.record.Product_Name), '') as product_name,
        nullif(trim(landed.record.Product_Code), '') as sku,
        cast(landed.record.Unit_Price as {{ money_type() }}) as unit_price,
        cast(landed.record.Qty_in_Stock as decimal(18, 6)) as stock_quantity,
        cast(landed.record.Qty_in_Demand as decimal(18, 6)) as demanded_quantity,
        cast(landed.record.Qty_Ordered as decimal(18, 6)) as ordered_quantity,
        landed.record.Modified_Time as updated_at,
        landed.payload is not null as has_content,
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
