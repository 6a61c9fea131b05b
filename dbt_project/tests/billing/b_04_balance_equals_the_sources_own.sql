-- B-04: Our open balance equals the one the source states.
{{ config(severity='error', tags=['billing', 'B-04']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-04' and severity = 'error'
