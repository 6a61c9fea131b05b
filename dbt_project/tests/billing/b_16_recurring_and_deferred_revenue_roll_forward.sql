-- B-16: What was there, plus what came, less what went, is what is left.
{{ config(severity='error', tags=['billing', 'B-16']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing_periods') }}
where check_id = 'B-16'
