-- Grain: one row per landed version of a dated change of a deal's stage.

{% set structure = {
    'deal_id': 'VARCHAR',
    'pipeline_id': 'VARCHAR',
    'stage_id': 'VARCHAR',
    'changed_by': 'VARCHAR',
    'changed_at': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'deal_stage_changes') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as deal_stage_change_key,
        landed.connection,
        nullif(trim(landed.record.deal_id), '') as deal_id,
        nullif(trim(landed.record.pipeline_id), '') as pipeline_id,
        nullif(trim(landed.record.stage_id), '') as stage_id,
        nullif(trim(landed.record.changed_by), '') as changed_by,
        landed.record.changed_at as changed_at,
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
