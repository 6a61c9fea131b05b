-- Grain: one row per version of an account of the chart of accounts.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'Code': 'VARCHAR',
            'Name': 'VARCHAR',
            'Type': 'VARCHAR',
            'Class': 'VARCHAR',
        }) }} as body
    from {{ raw_source('xero__accounts') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as account_key,
        versions.record_id as account_id,
        versions.body.Code as account_code,
        versions.body.Name as account_name,
        versions.body.Type as account_type,
        versions.body.Class as account_class,
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
