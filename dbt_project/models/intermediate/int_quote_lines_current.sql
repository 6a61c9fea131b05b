-- Grain: one row per line of a quote or deal: its newest content.

with versions as (
    select * from {{ ref('int_quote_lines_unioned') }}
),

final as (
    select * from versions
    where change in ('upsert', 'archived')
    qualify row_number() over (
        partition by quote_line_key order by observed_at desc, sync_id desc, position desc
    ) = 1
)

select
    final.* exclude (is_deleted),
    final.is_deleted or coalesce(gone.is_deleted, false) as is_deleted
from final
left join (
    select quote_line_key, is_deleted, observed_at
    from versions
    where change = 'deleted'
    qualify row_number() over (
        partition by quote_line_key order by observed_at desc, sync_id desc, position desc
    ) = 1
) as gone
    on
        final.quote_line_key = gone.quote_line_key
        and gone.observed_at >= final.observed_at
