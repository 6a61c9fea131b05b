-- Grain: one row per version of the organisation: its base currency, the end of its year.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'Name': 'VARCHAR',
            'BaseCurrency': 'VARCHAR',
            'FinancialYearEndDay': 'INTEGER',
            'FinancialYearEndMonth': 'INTEGER',
        }) }} as body
    from {{ raw_source('xero__organisation') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as organisation_key,
        versions.record_id as organisation_id,
        versions.body.Name as organisation_name,
        upper(nullif(versions.body.BaseCurrency, '')) as base_currency_code,
        versions.body.FinancialYearEndDay as financial_year_end_day,
        versions.body.FinancialYearEndMonth as financial_year_end_month,
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
