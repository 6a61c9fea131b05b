-- Grain: one row per deal, field and instant of a file's table of stage changes.

with stage_changes as (
    select
        concat(connection, ':', deal_id) as deal_key,
        stage_id,
        pipeline_id,
        changed_at as happened_at,
        any_value(changed_by) as changed_by,
        min(observed_at) as seen_at,
        min(raw_version_id) as raw_version_id
    from {{ ref('stg_files__deal_stage_changes') }}
    where not is_deleted and changed_at is not null
    group by connection, deal_id, stage_id, pipeline_id, changed_at
)

select
    deal_key,
    'stage' as field,
    stage_id as value,
    happened_at,
    changed_by,
    'exact' as change_precision,
    0 as uncertainty_seconds,
    seen_at,
    raw_version_id
from stage_changes

union all

select
    deal_key,
    'pipeline',
    pipeline_id,
    happened_at,
    changed_by,
    'exact',
    0,
    seen_at,
    raw_version_id
from stage_changes
where pipeline_id is not null
