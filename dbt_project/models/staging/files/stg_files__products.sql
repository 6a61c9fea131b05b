-- Grain: one row per landed version of a product of a file.

{% set structure = {
    'product_id': 'VARCHAR',
    'name': 'VARCHAR',
    'sku': 'VARCHAR',
    'category': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'unit_price': 'DECIMAL(38,12)',
    'is_active': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'products') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as product_key,
        landed.connection,
        nullif(trim(landed.record.product_id), '') as product_id,
        nullif(trim(landed.record.name), '') as name,
        nullif(trim(landed.record.sku), '') as sku,
        nullif(trim(landed.record.category), '') as category,
        upper(nullif(trim(landed.record.currency_code), '')) as currency_code,
        landed.record.unit_price as unit_price_amount,
        landed.record.is_active as is_active,
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
