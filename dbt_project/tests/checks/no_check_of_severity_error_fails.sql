-- A broken record of severity error keeps the last good publication; each is named with its
-- rule. Billing's rules have tests of their own in tests/billing.
{{ config(severity='error', store_failures=true, tags=['checks']) }}

select
    check_id,
    record_type,
    record_key,
    detail,
    value,
    limit_value
from {{ ref('fct_check_result') }}
where severity = 'error' and not starts_with(check_id, 'B-')
order by check_id, record_key
