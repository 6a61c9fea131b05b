-- Grain: one row per deal whose history this warehouse holds, as the last build left it.

select
    deal_key,
    fingerprint,
    change_fingerprint
from {{ source('state', 'deals_built') }}
