-- Grain: one row per version of a product.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'name': 'VARCHAR',
            'active': 'BOOLEAN',
            'metadata': 'JSON',
            'created': 'BIGINT',
        }) }} as body
    from {{ raw_source('stripe__products') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as product_key,
        versions.record_id as product_id,
        versions.body.name as product_name,
        coalesce(
            nullif(json_extract_string(versions.body.metadata, '$.crm_product_id'), ''),
            nullif(json_extract_string(versions.body.metadata, '$.sku'), '')
        ) as crm_product_reference,
        coalesce(versions.body.active, true) as is_active,
        {{ stripe_instant('versions.body.created') }} as created_at,
        versions.raw_version_id,
        'stripe' as source_system,
        versions.connection,
        versions.change <> 'upsert' as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
