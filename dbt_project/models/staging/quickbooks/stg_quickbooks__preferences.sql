-- Grain: one row per version of the company's preferences: its home currency.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'CurrencyPrefs': {
                'MultiCurrencyEnabled': 'BOOLEAN',
                'HomeCurrency': {'value': 'VARCHAR'},
            },
        }) }} as body
    from {{ raw_source('quickbooks__preferences') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as preference_key,
        versions.record_id as preference_id,
        upper(nullif(versions.body.CurrencyPrefs.HomeCurrency.value, '')) as home_currency_code,
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
