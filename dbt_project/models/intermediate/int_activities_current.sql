-- Grain: one row per activity, its newest content and its newest fate.

with versions as (
    select * from {{ ref('int_activities_unioned') }}
    where change != 'access_lost'
),

content as (
    select * from versions
    where has_content
    qualify row_number() over (
        partition by activity_key
        order by observed_at desc, sync_id desc, position desc
    ) = 1
),

fate as (
    select
        activity_key,
        arg_max(is_deleted, (observed_at, sync_id, position)) as is_deleted
    from versions
    group by activity_key
),

final as (
    select
        content.* exclude (is_deleted),
        fate.is_deleted
    from content
    inner join fate
        on content.activity_key = fate.activity_key
)

select * from final
