-- B-01: Gross is net plus tax on every invoice, to the minor unit.
{{ config(severity='error', tags=['billing', 'B-01']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-01' and severity = 'error'
