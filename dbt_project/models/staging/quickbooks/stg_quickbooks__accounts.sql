-- Grain: one row per version of an account.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'Name': 'VARCHAR',
            'Classification': 'VARCHAR',
            'AccountType': 'VARCHAR',
        }) }} as body
    from {{ raw_source('quickbooks__accounts') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as account_key,
        versions.record_id as account_id,
        nullif(trim(versions.body.Name), '') as account_name,
        versions.body.Classification as classification,
        versions.body.AccountType as account_type,
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
