-- Grain: one row per user x manager x interval, neighbouring versions with one manager joined.

with versions as (
    select
        user_key,
        manager_user_key,
        valid_from,
        coalesce(valid_to, {{ far_future() }}) as valid_to
    from {{ ref('dim_user') }}
),

followed as (
    select
        *,
        lag(manager_user_key) over (partition by user_key order by valid_from)
            as previous_manager_key,
        lag(valid_to) over (partition by user_key order by valid_from) as previous_valid_to
    from versions
),

marked as (
    select
        *,
        case
            when
                coalesce(manager_user_key, '') = coalesce(previous_manager_key, '')
                and previous_valid_to = valid_from
                then 0
            else 1
        end as is_change
    from followed
),

numbered as (
    select
        *,
        sum(is_change) over (
            partition by user_key order by valid_from rows unbounded preceding
        ) as line_no
    from marked
),

final as (
    select
        user_key,
        manager_user_key,
        min(valid_from) as valid_from,
        max(valid_to) as valid_to
    from numbered
    where manager_user_key is not null
    group by user_key, manager_user_key, line_no
)

select * from final
