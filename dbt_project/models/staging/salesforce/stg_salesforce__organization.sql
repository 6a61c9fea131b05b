-- Grain: one row per landed version of the org.

{% set structure = {
    'DefaultCurrencyIsoCode': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'organization') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as organization_key,
        landed.record_id as organization_id,
        landed.connection,
        upper(landed.record.DefaultCurrencyIsoCode) as currency_code,
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
