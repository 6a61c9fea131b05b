-- Grain: one row per version of a rate in a file of exchange rates.
-- Either `rate_to_rc` (reporting units per 1 unit of currency_code) or a quoted pair:
-- 1 unit of base_currency_code is `rate` units of currency_code, as central banks publish.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'currency_code': 'VARCHAR',
            'base_currency_code': 'VARCHAR',
            'rate_date': 'DATE',
            'rate_type': 'VARCHAR',
            'rate_to_rc': 'DECIMAL(28,12)',
            'rate': 'DECIMAL(28,12)',
            'source': 'VARCHAR',
        }) }} as body
    from {{ raw_source('files__fx_rates') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as fx_rate_key,
        'files' as source_system,
        versions.connection,
        versions.raw_version_id,
        upper(versions.body.currency_code) as currency_code,
        upper(versions.body.base_currency_code) as base_currency_code,
        coalesce(nullif(lower(trim(versions.body.rate_type)), ''), 'spot') as rate_type,
        coalesce(nullif(trim(versions.body.source), ''), versions.connection) as rate_source,
        versions.body.rate_to_rc,
        versions.body.rate,
        versions.change <> 'upsert' as is_deleted,
        versions.body.rate_date,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
