-- B-05: Paid means no balance, open means a balance.
{{ config(severity='warn', tags=['billing', 'B-05']) }}

select
    record_type,
    record_key,
    value,
    limit_value,
    detail
from {{ ref('int_check_billing') }}
where check_id = 'B-05' and severity = 'warn'
