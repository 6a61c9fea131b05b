-- B-17: Open invoices are due on or after their issue.
{{ config(severity='warn', tags=['billing', 'B-17']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-17' and severity = 'warn'
