-- Grain: one row per edit (deal, field and instant) that was one of many: more than bulk_edit_n
-- deals had the field edited by the same person within one window of bulk_edit_seconds.
--
-- It looks across all deals, and is told anew by every build.

with edits as not materialized (
    select
        deal_key,
        connection,
        field,
        coalesce(changed_by, change_source) as editor,
        changed_at,
        change_precision
    from {{ ref('int_deal_edits') }}
    where coalesce(changed_by, change_source) is not null
),

-- Windows of bulk_edit_seconds laid twice, the second shifted by half: one of them holds every
-- burst of up to half a window whole. Only windows with enough edits need a second look.
busy as (
    {% for shift in [0, 0.5] %}
    {% if not loop.first %}union all{% endif %}
    select
        connection,
        field,
        editor,
        floor(epoch(changed_at) / {{ var('bulk_edit_seconds') }} + {{ shift }}) as window_no,
        {{ shift }} as shift
    from edits
    where change_precision = 'exact'
    group by connection, field, editor, window_no
    having count(*) > {{ var('bulk_edit_n') }}
    {% endfor %}
),

bursts as (
    select
        busy.connection,
        busy.field,
        busy.editor,
        busy.window_no,
        busy.shift
    from edits
    inner join busy
        on
            edits.connection = busy.connection
            and edits.field = busy.field
            and edits.editor = busy.editor
            and floor(epoch(edits.changed_at) / {{ var('bulk_edit_seconds') }} + busy.shift)
            = busy.window_no
    where edits.change_precision = 'exact'
    group by busy.connection, busy.field, busy.editor, busy.window_no, busy.shift
    having count(distinct edits.deal_key) > {{ var('bulk_edit_n') }}
),

final as (
    select distinct
        edits.deal_key,
        edits.field,
        edits.changed_at
    from edits
    inner join bursts
        on
            edits.connection = bursts.connection
            and edits.field = bursts.field
            and edits.editor = bursts.editor
            and floor(epoch(edits.changed_at) / {{ var('bulk_edit_seconds') }} + bursts.shift)
            = bursts.window_no
)

select * from final
