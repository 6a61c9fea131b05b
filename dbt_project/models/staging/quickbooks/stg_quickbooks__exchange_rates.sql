-- Grain: one row per version of a day's rate: home units for one foreign unit.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'SourceCurrencyCode': 'VARCHAR',
            'TargetCurrencyCode': 'VARCHAR',
            'Rate': 'DECIMAL(28,12)',
            'AsOfDate': 'VARCHAR',
        }) }} as body
    from {{ raw_source('quickbooks__exchange_rates') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as rate_key,
        versions.record_id as rate_id,
        upper(nullif(versions.body.SourceCurrencyCode, '')) as currency_code,
        upper(nullif(versions.body.TargetCurrencyCode, '')) as home_currency_code,
        versions.body.Rate as rate,
        try_cast(versions.body.AsOfDate as date) as effective_date,
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
