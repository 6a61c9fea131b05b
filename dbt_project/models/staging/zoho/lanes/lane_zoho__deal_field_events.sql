-- Grain: one row per Zoho deal and instant at which its stage changed, and one for the stage in
-- which it was made.
--
-- The history has a row per stay with when it began. An edit of the amount may leave a second
-- row of the same stage, and a click and a slip several of one second: what held after it
-- counts.

with stage_words as (
    {{ zoho_stage_words() }}
),

stays as (
    select
        history.stay_key,
        history.stay_id,
        history.deal_key,
        min(history.entered_at) as entered_at,
        arg_min(
            coalesce(stage_words.stage_id, history.stage_text, ''),
            (history.observed_at, history.sync_id, history.position)
        ) as stage_id,
        any_value(history.changed_by) as changed_by,
        min(history.observed_at) as seen_at,
        arg_min(
            history.raw_version_id, (history.observed_at, history.sync_id, history.position)
        ) as raw_version_id
    from {{ ref('stg_zoho__deal_stage_history') }} as history
    left join stage_words
        on history.connection = stage_words.connection and history.stage_text = stage_words.word
    where history.has_content and history.entered_at is not null
    group by history.stay_key, history.stay_id, history.deal_key
),

settled as (
    select * from stays
    qualify
        row_number() over (
            partition by deal_key, entered_at
            order by {{ try_cast_to('stay_id', 'decimal(38, 0)') }} desc
        ) = 1
)

select
    deal_key,
    'stage' as field,
    stage_id as value,
    lag(stage_id) over stays_of_deal as old_value,
    entered_at as happened_at,
    changed_by,
    'Stage_History' as change_source,
    'exact' as change_precision,
    1 as place,
    0 as uncertainty_seconds,
    seen_at,
    raw_version_id
from settled
window stays_of_deal as (partition by deal_key order by entered_at)
qualify stage_id is distinct from lag(stage_id) over stays_of_deal
