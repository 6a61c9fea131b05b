-- Grain: one row per version of a product or service.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'Name': 'VARCHAR',
            'Type': 'VARCHAR',
            'IncomeAccountRef': {'value': 'VARCHAR'},
        }) }} as body
    from {{ raw_source('quickbooks__items') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as item_key,
        versions.record_id as item_id,
        nullif(trim(versions.body.Name), '') as item_name,
        versions.body.Type as item_type,
        nullif(versions.body.IncomeAccountRef.value, '') as income_account_id,
        versions.payload is not null as has_content,
        versions.raw_version_id,
        'quickbooks' as source_system,
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
