-- Grain: one row per version of a product.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'Code': 'VARCHAR',
            'Name': 'VARCHAR',
            'SalesDetails': {'UnitPrice': 'DECIMAL(18,4)'},
        }) }} as body
    from {{ raw_source('xero__items') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as item_key,
        versions.record_id as item_id,
        versions.body.Code as item_code,
        nullif(trim(versions.body.Name), '') as item_name,
        versions.body.SalesDetails.UnitPrice as sales_unit_price,
        versions.raw_version_id,
        'xero' as source_system,
        versions.connection,
        versions.change,
        versions.change not in ('upsert', 'archived') as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
