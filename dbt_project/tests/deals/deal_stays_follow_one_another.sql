-- A stay ends before the next begins; a negative stay would turn durations round (R-17).

with stays as (
    select
        deal_key,
        entered_at,
        exited_at,
        days_in_stay,
        lead(entered_at) over (partition by deal_key order by entered_at) as next_entered_at
    from {{ ref('fct_deal_stage') }}
)

select *
from stays
where
    exited_at > next_entered_at
    or (exited_at is null and next_entered_at is not null)
    or exited_at < entered_at
    or days_in_stay < 0
