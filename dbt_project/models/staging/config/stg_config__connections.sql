-- Grain: one row per configured connection.

select
    source,
    connection,
    home_currency
from {{ source('config', 'connections') }}
