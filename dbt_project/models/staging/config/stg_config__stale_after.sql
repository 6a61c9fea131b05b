-- Grain: one row per stream with its schedule: hours after which it is stale.

select
    source,
    connection,
    stream,
    hours
from {{ source('config', 'stale_after') }}
