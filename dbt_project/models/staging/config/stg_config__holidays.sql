-- Grain: one row per day on which the company does not work.

select
    date as holiday_date,
    min(name) as holiday_name
from {{ source('config', 'holidays') }}
group by date
