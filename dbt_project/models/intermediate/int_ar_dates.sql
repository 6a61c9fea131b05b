-- Grain: one row per day for which receivables are aged: the last day of each fiscal month of
-- the last `history_months` months, and the as-of date.

select end_date as as_of_date
from {{ ref('dim_fiscal_period') }}
where
    grain = 'month'
    and end_date < {{ as_of_date() }}
    and end_date >= {{ as_of_date() }} - interval {{ var('history_months') }} month
union
select {{ as_of_date() }}
