-- B-11: What is billed was won.
{{ config(severity='warn', tags=['billing', 'B-11']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-11' and severity = 'warn'
