-- B-08: No invoice is credited beyond its gross.
{{ config(severity='warn', tags=['billing', 'B-08']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-08' and severity = 'warn'
