-- Grain: one row per user x scope x interval in which what the user does counts for the scope:
-- the user, the team of the time, every manager above at the time, the company.

with users as (
    select * from {{ ref('dim_user') }}
),

hierarchy as (
    select * from {{ ref('bridge_user_hierarchy') }}
    where tree = 'reporting'
),

spans as (
    select
        user_key,
        min(valid_from) as valid_from,
        max(coalesce(valid_to, {{ far_future() }})) as valid_to
    from users
    group by user_key
),

managers as (
    select distinct ancestor_user_key
    from hierarchy
    where depth > 0
),

final as (
    select
        user_key,
        'user' as scope_type,
        user_key as scope_key,
        valid_from,
        valid_to
    from spans
    union all
    select
        user_key,
        'company' as scope_type,
        'company' as scope_key,
        valid_from,
        valid_to
    from spans
    union all
    select
        user_key,
        'team' as scope_type,
        team_key as scope_key,
        valid_from,
        coalesce(valid_to, {{ far_future() }}) as valid_to
    from users
    union all
    select distinct
        hierarchy.descendant_user_key as user_key,
        'manager' as scope_type,
        hierarchy.ancestor_user_key as scope_key,
        hierarchy.valid_from,
        coalesce(hierarchy.valid_to, {{ far_future() }}) as valid_to
    from hierarchy
    inner join managers on hierarchy.ancestor_user_key = managers.ancestor_user_key
)

select * from final
