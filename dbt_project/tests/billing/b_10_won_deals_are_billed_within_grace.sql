-- B-10: Won deals are billed within the grace: the leakage list.
{{ config(severity='warn', tags=['billing', 'B-10']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-10' and severity = 'warn'
