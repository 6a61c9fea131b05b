-- Grain: one row per version of a budget rate of the settings.
-- `rate` is units of quote_currency_code per one of base_currency_code, as it is published.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'provider': 'VARCHAR',
            'base': 'VARCHAR',
            'quote': 'VARCHAR',
            'date': 'DATE',
            'rate': 'DECIMAL(24,8)',
            'rate_type': 'VARCHAR',
            'is_irrevocable': 'BOOLEAN',
        }) }} as body
    from {{ raw_source('fx__budget_rates') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as fx_rate_key,
        versions.body.provider,
        upper(versions.body.base) as base_currency_code,
        upper(versions.body.quote) as quote_currency_code,
        versions.body.rate_type,
        versions.body.rate,
        coalesce(versions.body.is_irrevocable, false) as is_irrevocable,
        versions.change <> 'upsert' as is_deleted,
        versions.body."date" as rate_date,
        'fx' as source_system,
        versions.connection,
        versions.raw_version_id,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
