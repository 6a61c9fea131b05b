-- Grain: one row per deal, its newest content and its newest fate.
--
-- The newest content is that of the newest version that has any: a deal deleted by a sweep
-- keeps the amount it had. The newest is found over keys alone, never over whole rows.

with versions as (
    select * from {{ ref('int_deals_unioned') }}
),

fate as (
    select
        deal_key,
        arg_max(raw_version_id, (observed_at, sync_id, position)) filter (where has_content)
            as content_version_id,
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
        versions.* exclude (is_deleted),
        fate.is_deleted,
        fate.n_raw_versions,
        fate.first_observed_at,
        fate.last_observed_at
    from versions
    inner join fate
        on versions.raw_version_id = fate.content_version_id
)

select * from final
