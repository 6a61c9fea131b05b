-- Grain: one row per configured connection.

select
    source,
    connection,
    home_currency,
    stores_bodies
from {{ source('config', 'connections') }}
