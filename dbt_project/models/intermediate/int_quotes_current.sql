-- Grain: one row per quote: its newest content, and whether it is deleted.

with newest as (
    select quote_key, is_deleted, raw_version_id
    from {{ ref('int_quotes_unioned') }}
    qualify row_number() over (
        partition by quote_key order by observed_at desc, sync_id desc, position desc
    ) = 1
),

content as (
    select *
    from {{ ref('int_quotes_unioned') }}
    where change in ('upsert', 'archived')
    qualify row_number() over (
        partition by quote_key order by observed_at desc, sync_id desc, position desc
    ) = 1
),

final as (
    select
        content.* exclude (is_deleted, raw_version_id),
        newest.is_deleted,
        newest.raw_version_id
    from content
    inner join newest
        on content.quote_key = newest.quote_key
)

select * from final
