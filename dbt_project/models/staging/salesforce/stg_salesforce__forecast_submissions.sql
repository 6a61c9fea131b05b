-- Grain: one row per landed version of a hand-in of a forecast: by whom, for which period, when.

{% set structure = {
    'ForecastOwnerId': 'VARCHAR',
    'ForecastingTypeId': 'VARCHAR',
    'PeriodId': 'VARCHAR',
    'Territory2Id': 'VARCHAR',
    'CurrencyIsoCode': 'VARCHAR',
    'Note': 'VARCHAR',
    'SubmissionDateTime': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'forecast_submissions') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as submission_key,
        landed.record_id as submission_id,
        landed.connection,
        landed.record.ForecastOwnerId as owner_id,
        landed.record.ForecastingTypeId as forecast_type_id,
        landed.record.PeriodId as period_id,
        landed.record.Territory2Id as territory_id,
        upper(landed.record.CurrencyIsoCode) as currency_code,
        nullif(trim(landed.record.Note), '') is not null as has_note,
        {{ salesforce_instant('landed.record.SubmissionDateTime') }} as submitted_at,
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
