-- Grain: one row per landed version of a currency with the rate of that moment.

{% set structure = {
    'iso_code': 'VARCHAR',
    'exchange_rate': 'DECIMAL(38,15)',
    'is_base': 'BOOLEAN',
    'is_active': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'currencies') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as currency_key,
        landed.record_id as currency_id,
        landed.connection,
        upper(nullif(trim(landed.record.iso_code), '')) as currency_code,
        landed.record.exchange_rate as exchange_rate,
        coalesce(landed.record.is_base, false) as is_base,
        landed.payload is not null as has_content,
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
