-- Grain: one row per stage of a file x instant at which its pipeline was seen to change.

with stage_versions as (
    select * from {{ ref('stg_files__stages') }}
),

instants_seen as (
    select distinct
        connection,
        pipeline_id,
        observed_at
    from stage_versions
)

select
    stages.connection,
    'files' as source_system,
    stages.pipeline_id,
    arg_max(
        stages.pipeline_name, (stages.observed_at, stages.sync_id, stages.position)
    ) filter (where stages.pipeline_name is not null) as pipeline_name,
    false as is_pipeline_deleted,
    stages.stage_id,
    arg_max(
        stages.stage_name, (stages.observed_at, stages.sync_id, stages.position)
    ) filter (where not stages.is_deleted) as stage_name,
    arg_max(
        stages.stage_type, (stages.observed_at, stages.sync_id, stages.position)
    ) filter (where not stages.is_deleted) as stage_type,
    arg_max(
        stages.stage_order, (stages.observed_at, stages.sync_id, stages.position)
    ) filter (where not stages.is_deleted) as display_order,
    arg_max(
        stages.probability, (stages.observed_at, stages.sync_id, stages.position)
    ) filter (where not stages.is_deleted) as probability,
    arg_max(
        stages.forecast_category, (stages.observed_at, stages.sync_id, stages.position)
    ) filter (where not stages.is_deleted) as forecast_category,
    arg_max(
        stages.rotten_days, (stages.observed_at, stages.sync_id, stages.position)
    ) filter (where not stages.is_deleted) as rotten_days,
    arg_max(
        stages.is_deleted, (stages.observed_at, stages.sync_id, stages.position)
    ) as is_deleted,
    instants.observed_at as seen_at,
    arg_max(
        stages.raw_version_id, (stages.observed_at, stages.sync_id, stages.position)
    ) as raw_version_id
from stage_versions as stages
inner join instants_seen as instants
    on
        stages.connection = instants.connection
        and stages.pipeline_id = instants.pipeline_id
        and stages.observed_at <= instants.observed_at
group by stages.connection, stages.pipeline_id, stages.stage_id, instants.observed_at
