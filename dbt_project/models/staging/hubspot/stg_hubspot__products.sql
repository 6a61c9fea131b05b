-- Grain: one row per landed version of a product.

{% set structure = {
    'properties': {
        'name': 'VARCHAR',
        'hs_sku': 'VARCHAR',
        'description': 'VARCHAR',
        'hs_price_currency': 'VARCHAR',
        'price': 'DECIMAL(38,12)',
        'recurringbillingfrequency': 'VARCHAR',
        'createdate': 'TIMESTAMPTZ',
        'hs_lastmodifieddate': 'TIMESTAMPTZ',
    },
    'createdAt': 'TIMESTAMPTZ',
    'archived': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('hubspot', 'products') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as product_key,
        landed.record_id as product_id,
        landed.connection,
        nullif(trim(landed.record.properties.name), '') as name,
        nullif(trim(landed.record.properties.hs_sku), '') as sku,
        nullif(trim(landed.record.properties.description), '') as description,
        upper(nullif(trim(landed.record.properties.hs_price_currency), '')) as currency_code,
        landed.record.properties.price as unit_price_amount,
        nullif(trim(landed.record.properties.recurringbillingfrequency), '') as billing_interval,
        landed.record.properties.createdate as created_at,
        landed.record.properties.hs_lastmodifieddate as updated_at,
        landed.record.createdAt as record_created_at,
        landed.change,
        landed.change in ('deleted', 'archived')
        or coalesce(landed.record.archived, false) as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
