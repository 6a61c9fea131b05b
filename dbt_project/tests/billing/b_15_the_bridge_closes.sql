-- B-15: Every bridge of billed versus forecast closes to 0.00.
{{ config(severity='error', tags=['billing', 'B-15']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-15' and severity = 'error'
