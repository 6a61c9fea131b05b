-- Grain: one row per version of a dated exchange rate of a HubSpot account.
-- HubSpot's direction: 1 unit of from_currency_code is `rate` units of to_currency_code.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'fromCurrencyCode': 'VARCHAR',
            'toCurrencyCode': 'VARCHAR',
            'conversionRate': 'DECIMAL(28,12)',
            'effectiveAt': 'TIMESTAMPTZ',
        }) }} as body
    from {{ raw_source('hubspot__exchange_rates') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as exchange_rate_key,
        'hubspot' as source_system,
        versions.connection,
        versions.raw_version_id,
        upper(versions.body.fromcurrencycode) as from_currency_code,
        upper(versions.body.tocurrencycode) as to_currency_code,
        versions.body.conversionrate as rate,
        versions.change <> 'upsert' as is_deleted,
        versions.body.effectiveat as effective_at,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
