-- Grain: one row per pipeline and team that may own its deals.

select
    concat(connection, ':', pipeline_id) as pipeline_key,
    team_key
from {{ source('config', 'pipeline_teams') }}
