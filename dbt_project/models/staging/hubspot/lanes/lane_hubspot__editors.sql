-- Grain: one row per way in which HubSpot's histories name a user.

select
    connection,
    unnest([user_id, concat('userId:', user_id)]) as editor_id,
    lower(email) as user_key,
    1 as preference
from {{ ref('stg_hubspot__owners') }}
where user_id is not null and email is not null
