-- Grain: one row per landed version of a product.

{% set structure = {
    'Product_Name': 'VARCHAR',
    'Product_Code': 'VARCHAR',
    'Unit_Price': 'DECIMAL(24,4)',
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
