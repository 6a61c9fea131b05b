-- B-12: Billing neither exceeds the booking nor lags behind its schedule.
{{ config(severity='warn', tags=['billing', 'B-12']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-12' and severity = 'warn'
