-- R-02: per deal each version ends where the next begins, and only the last is open.

with versions as (
    select
        deal_key,
        version_no,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by deal_key order by valid_from, version_no) as next_from
    from {{ ref('fct_deal_version') }}
)

select *
from versions
where valid_to is distinct from next_from or valid_to <= valid_from
