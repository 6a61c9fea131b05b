-- Of every figure of every close the records in the restatement log add up to what it is today
-- less what was frozen, to the cent.

with explained as (
    select
        close_id,
        metric,
        measure,
        scope_type,
        scope_key,
        sum(difference_rc) as difference_rc
    from {{ ref('fct_period_restatement') }}
    group by close_id, metric, measure, scope_type, scope_key
)

select
    closes.period_close_key,
    closes.frozen_rc,
    closes.restated_rc,
    explained.difference_rc
from {{ ref('fct_period_close') }} as closes
left join explained
    on
        closes.close_id = explained.close_id
        and closes.metric = explained.metric
        and closes.measure = explained.measure
        and closes.scope_type = explained.scope_type
        and closes.scope_key = explained.scope_key
where
    closes.restated_rc is not null
    and closes.frozen_rc + coalesce(explained.difference_rc, 0) <> closes.restated_rc
