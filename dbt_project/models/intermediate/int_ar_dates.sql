-- Grain: one row per day for which receivables are aged: the last day of each fiscal month of
-- the last `history_months` months and of each closed period, and the as-of date.

select end_date as as_of_date
from {{ ref('dim_fiscal_period') }}
where
    grain = 'month'
    and end_date < {{ as_of_date() }}
    and end_date >= {{ as_of_date() }} - interval {{ var('history_months') }} month
union
-- A closed period is compared with what it is today for as long as anybody asks.
select end_date
from {{ ref('stg_closed__periods') }}
where end_date < {{ as_of_date() }}
union
select {{ as_of_date() }}
