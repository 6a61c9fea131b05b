-- B-06: A void invoice is neither counted nor settled.
{{ config(severity='error', tags=['billing', 'B-06']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-06' and severity = 'error'
