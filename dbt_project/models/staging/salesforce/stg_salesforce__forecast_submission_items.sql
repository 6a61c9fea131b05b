-- Grain: one row per landed version of what a hand-in says of one category.

{% set structure = {
    'ForecastingSubmissionId': 'VARCHAR',
    'ForecastingItemCategory': 'VARCHAR',
    'Amount': 'DECIMAL(24,4)',
    'CurrencyIsoCode': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'forecast_submission_items') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as submission_item_key,
        landed.record_id as submission_item_id,
        landed.connection,
        landed.record.ForecastingSubmissionId as submission_id,
        landed.record.ForecastingItemCategory as item_category,
        upper(landed.record.CurrencyIsoCode) as currency_code,
        cast(landed.record.Amount as {{ money_type() }}) as amount,
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
