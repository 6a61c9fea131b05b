-- An overlap would count what somebody won in two teams, a gap in none.
{{ config(severity='error', tags=['checks']) }}

with followed as (
    select
        user_key,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by user_key order by valid_from) as next_valid_from
    from {{ ref('dim_user') }}
)

select *
from followed
where
    (next_valid_from is not null and (valid_to is null or valid_to <> next_valid_from))
    or (next_valid_from is null and valid_to is not null)
