-- B-07: A credit note has the currency of its invoice.
{{ config(severity='error', tags=['billing', 'B-07']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-07' and severity = 'error'
