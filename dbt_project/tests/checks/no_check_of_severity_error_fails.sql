-- A broken record of severity error keeps the last good publication; each is named with its
-- rule, the first of each rule before the second of any, for only the first ones are shown.
-- Billing's rules have tests of their own in tests/billing.
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
order by
    row_number() over (partition by check_id order by record_type, record_key), check_id
