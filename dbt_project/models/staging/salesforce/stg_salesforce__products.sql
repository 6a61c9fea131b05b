-- Grain: one row per landed version of a product.

{% set structure = {
    'Name': 'VARCHAR',
    'ProductCode': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'products') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as product_key,
        landed.record_id as product_id,
        landed.connection,
        nullif(trim(landed.record.Name), '') as product_name,
        nullif(trim(landed.record.ProductCode), '') as sku,
        landed.payload is not null and landed.change <> 'merged' as has_content,
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
