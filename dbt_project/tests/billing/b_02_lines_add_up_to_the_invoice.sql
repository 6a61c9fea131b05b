-- B-02: Lines and their explicit rest line add up to the net of the invoice.
{{ config(severity='error', tags=['billing', 'B-02']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-02' and severity = 'error'
