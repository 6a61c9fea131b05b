-- Grain: one row per landed version of a currency with the rate of that moment.

{% set structure = {
    'currency_code': 'VARCHAR',
    'currency_name': 'VARCHAR',
    'defaultid': 'VARCHAR',
    'conversion_rate': 'DECIMAL(38,15)',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'currencies') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as currency_key,
        landed.record_id as currency_id,
        landed.connection,
        upper(nullif(trim(landed.record.currency_code), '')) as currency_code,
        nullif(trim(landed.record.currency_name), '') as currency_name,
        nullif(trim(landed.record.defaultid), '') as default_mark,
        landed.record.conversion_rate as conversion_rate,
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
