-- Grain: one row per close x frozen figure of a record.

select
    close_id,
    metric,
    measure,
    scope_type,
    scope_key,
    record_type,
    record_key,
    currency_code,
    amount_amt,
    record_amt,
    credited_amt,
    value_rc
from {{ source('closed', 'figures') }}
