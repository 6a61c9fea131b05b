-- Grain: one row per fiscal period of the settings, all grains (month, quarter, year, week).

select
    period_key,
    grain,
    label,
    start_date,
    end_date,
    fiscal_year,
    fiscal_quarter,
    fiscal_month,
    is_53rd_week_year
from {{ source('config', 'fiscal_periods') }}
