-- Overlapping versions would multiply every deal that joins them.

with versions as (
    select stage_key as key, valid_from, valid_to from {{ ref('dim_stage') }}
    union all
    select pipeline_key as key, valid_from, valid_to from {{ ref('dim_pipeline') }}
),

followed as (
    select
        *,
        lead(valid_from) over (partition by key order by valid_from) as next_from
    from versions
)

select *
from followed
where valid_to is distinct from next_from
