-- Grain: one row per landed version of a quota.

{% set structure = {
    'QuotaOwnerId': 'VARCHAR',
    'PeriodId': 'VARCHAR',
    'StartDate': 'DATE',
    'QuotaAmount': 'DECIMAL(24,4)',
    'QuotaQuantity': 'DECIMAL(24,4)',
    'IsAmount': 'BOOLEAN',
    'CurrencyIsoCode': 'VARCHAR',
    'ForecastingTypeId': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'quotas') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as quota_key,
        landed.record_id as quota_id,
        landed.connection,
        landed.record.QuotaOwnerId as owner_id,
        landed.record.PeriodId as period_id,
        landed.record.ForecastingTypeId as forecast_type_id,
        upper(landed.record.CurrencyIsoCode) as currency_code,
        cast(landed.record.QuotaAmount as {{ money_type() }}) as quota_amount,
        cast(landed.record.QuotaQuantity as {{ money_type() }}) as quota_quantity,
        coalesce(landed.record.IsAmount, true) as is_amount,
        landed.record.StartDate as starts_on,
        landed.payload is not null and landed.change <> 'merged' as has_content,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
