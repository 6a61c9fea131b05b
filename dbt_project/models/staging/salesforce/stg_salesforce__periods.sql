-- Grain: one row per landed version of a period.

{% set structure = {
    'Type': 'VARCHAR',
    'StartDate': 'DATE',
    'EndDate': 'DATE',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'periods') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as period_key,
        landed.record_id as period_id,
        landed.connection,
        landed.record.Type as period_type,
        landed.record.StartDate as starts_on,
        landed.record.EndDate as ends_on,
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
