-- Grain: one row per landed version of a currency and its rate of today: units per unit of the corporate currency.

{% set structure = {
    'IsoCode': 'VARCHAR',
    'ConversionRate': 'DECIMAL(38,15)',
    'IsCorporate': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'currencies') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as currency_key,
        landed.record_id as currency_id,
        landed.connection,
        upper(landed.record.IsoCode) as currency_code,
        landed.record.ConversionRate as conversion_rate,
        coalesce(landed.record.IsCorporate, false) as is_corporate,
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
