-- Grain: one row per pipeline that the settings speak of.

select
    concat(connection, ':', pipeline_id) as pipeline_key,
    connection,
    pipeline_id,
    measure,
    is_excluded,
    concat(connection, ':', pipeline_id, ':') || first_qualified_stage_id
        as first_qualified_stage_key
from {{ source('config', 'pipelines') }}
