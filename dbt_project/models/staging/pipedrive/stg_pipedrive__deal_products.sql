-- Grain: one row per landed version of the products of a deal, a whole set.

{% set structure = {
    'products': [{
        'id': 'VARCHAR',
        'product_id': 'VARCHAR',
        'name': 'VARCHAR',
        'quantity': 'DECIMAL(24,6)',
        'item_price': 'DECIMAL(38,12)',
        'sum': 'DECIMAL(24,4)',
        'discount': 'DECIMAL(24,6)',
        'discount_type': 'VARCHAR',
        'tax': 'DECIMAL(24,6)',
        'tax_method': 'VARCHAR',
        'currency': 'VARCHAR',
        'billing_frequency': 'VARCHAR',
        'billing_start_date': 'DATE',
        'is_enabled': 'BOOLEAN',
        'is_deleted': 'BOOLEAN',
    }],
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('pipedrive', 'deal_products') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as deal_key,
        landed.connection,
        coalesce(landed.record.products, []) as products,
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
