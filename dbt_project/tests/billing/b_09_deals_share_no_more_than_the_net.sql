-- B-09: Deals share no more than the net of an invoice.
{{ config(severity='error', tags=['billing', 'B-09']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-09' and severity = 'error'
