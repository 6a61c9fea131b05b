-- B-22: On every day that is aged, the balances are what was billed less what was settled.
{{ config(severity='error', tags=['billing', 'B-22']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing_periods') }}
where check_id = 'B-22'
