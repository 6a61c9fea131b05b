-- Grain: one row per deal, its newest content and its newest fate.
--
-- The newest content is that of the newest version that has any: a deal deleted by a sweep
-- keeps the amount it had.

with versions as (
    select * from {{ ref('int_deals_unioned') }}
),

content as (
    select *
    from versions
    where has_content
    qualify row_number() over (
        partition by deal_key
        order by observed_at desc, sync_id desc, position desc
    ) = 1
),

fate as (
    select
        deal_key,
        -- access_lost says nothing about the deal itself.
        coalesce(
            arg_max(
                is_deleted, (observed_at, sync_id, position)
            ) filter (where change != 'access_lost'),
            false
        ) as is_deleted,
        count(*) as n_raw_versions,
        min(observed_at) as first_observed_at,
        max(observed_at) as last_observed_at
    from versions
    group by deal_key
),

final as (
    select
        content.* exclude (is_deleted),
        fate.is_deleted,
        fate.n_raw_versions,
        fate.first_observed_at,
        fate.last_observed_at
    from content
    inner join fate
        on content.deal_key = fate.deal_key
)

select * from final
