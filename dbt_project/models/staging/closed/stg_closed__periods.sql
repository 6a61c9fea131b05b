-- Grain: one row per close of a fiscal period.

select
    close_id,
    period_key,
    period_grain,
    start_date,
    end_date,
    close_no,
    reason,
    currency_code,
    build_id,
    n_figures,
    seen_to,
    closed_at
from {{ source('closed', 'periods') }}
