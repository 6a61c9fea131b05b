-- B-19: Every needed rate exists and none has flipped its direction.
{{ config(severity='error', tags=['billing', 'B-19']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-19' and severity = 'error'
