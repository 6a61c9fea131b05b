-- Grain: one row per deal whose movement this warehouse holds, as the last build left it.

select
    deal_key,
    pipeline_fingerprint
from {{ source('state', 'pipeline_built') }}
