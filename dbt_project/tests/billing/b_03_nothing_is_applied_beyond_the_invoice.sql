-- B-03: Nothing is applied beyond the gross, and before issue only prepayments.
{{ config(severity='error', tags=['billing', 'B-03']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-03' and severity = 'error'
