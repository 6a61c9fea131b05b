-- Grain: one row per stage that the settings speak of; null = no override.

select
    concat(connection, ':', pipeline_id, ':', stage_id) as stage_key,
    concat(connection, ':', pipeline_id) as pipeline_key,
    connection,
    pipeline_id,
    stage_id,
    pipeline_name,
    stage_name,
    stage_order,
    lower(stage_type) as stage_type,
    probability,
    forecast_category,
    rotten_days
from {{ source('config', 'stages') }}
