-- Grain: one row per landed version of a stage of a pipeline.
--
-- A deleted row carries no payload: its ids come back from the record id, <pipeline>:<stage>.

{% set structure = {
    'pipeline_id': 'VARCHAR',
    'pipeline_name': 'VARCHAR',
    'stage_id': 'VARCHAR',
    'stage_name': 'VARCHAR',
    'stage_type': 'VARCHAR',
    'forecast_category': 'VARCHAR',
    'probability': 'DECIMAL(24,6)',
    'stage_order': 'BIGINT',
    'rotten_days': 'BIGINT',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'stages') }}
),

final as (
    select
        concat(
            landed.connection, ':',
            coalesce(nullif(split_part(landed.record_id, ':', 1), ''), 'default'), ':',
            coalesce(landed.record.stage_id, split_part(landed.record_id, ':', 2))
        ) as stage_key,
        landed.connection,
        coalesce(nullif(split_part(landed.record_id, ':', 1), ''), 'default') as pipeline_id,
        nullif(trim(landed.record.pipeline_name), '') as pipeline_name,
        coalesce(landed.record.stage_id, split_part(landed.record_id, ':', 2)) as stage_id,
        nullif(trim(landed.record.stage_name), '') as stage_name,
        lower(nullif(trim(landed.record.stage_type), '')) as stage_type,
        lower(nullif(trim(landed.record.forecast_category), '')) as forecast_category,
        cast(landed.record.probability as decimal(9, 6)) as probability,
        landed.record.stage_order as stage_order,
        landed.record.rotten_days as rotten_days,
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
