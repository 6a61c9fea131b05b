-- Grain: one row per Zoho deal, field and instant at which the field was told to have changed,
-- and one for what it held since creation.
--
-- The history has a row per stay with when it began and what the deal was worth then. An edit
-- of the amount may leave a second row of the same stage, and a click and a slip several of one
-- second: what held after it counts. When between two rows an amount was edited nobody tells.

with stage_words as (
    {{ zoho_stage_words() }}
),

-- As each stay was first read: a later edit may have changed what it says.
stays as (
    select
        history.deal_key,
        history.stay_id,
        history.entered_at as happened_at,
        coalesce(stage_words.stage_id, history.stage_text, '') as stage_id,
        history.deal_amount,
        history.changed_by,
        history.observed_at as seen_at,
        history.raw_version_id
    from {{ ref('stg_zoho__deal_stage_history') }} as history
    left join stage_words
        on history.connection = stage_words.connection and history.stage_text = stage_words.word
    where history.has_content and history.entered_at is not null
    qualify
        row_number() over (
            partition by history.stay_key
            order by history.observed_at, history.sync_id, history.position
        ) = 1
),

settled as (
    select * from stays
    qualify
        row_number() over (
            partition by deal_key, happened_at
            order by {{ try_cast_to('stay_id', 'decimal(38, 0)') }} desc
        ) = 1
),

-- What a deal was worth when we first saw it: an edit since its last stay is in no history.
first_versions as (
    select
        deal_key,
        deal_amount,
        updated_at as happened_at,
        observed_at as seen_at,
        raw_version_id
    from {{ ref('stg_zoho__deals') }}
    where has_content and updated_at is not null
    qualify
        row_number() over (
            partition by deal_key order by observed_at, sync_id, position
        ) = 1
),

amounts as (
    select deal_key, deal_amount, happened_at, changed_by, seen_at, raw_version_id
    from settled

    union all

    select
        first_versions.deal_key,
        first_versions.deal_amount,
        first_versions.happened_at,
        null,
        first_versions.seen_at,
        first_versions.raw_version_id
    from first_versions
    left join settled
        on
            first_versions.deal_key = settled.deal_key
            and first_versions.happened_at = settled.happened_at
    where settled.deal_key is null
),

told as (
    select
        deal_key,
        'stage' as field,
        stage_id as value,
        happened_at,
        changed_by,
        'exact' as change_precision,
        0 as uncertainty_seconds,
        seen_at,
        raw_version_id
    from settled

    union all

    select
        deal_key,
        'amount',
        coalesce(cast(deal_amount as varchar), ''),
        happened_at,
        changed_by,
        case when lag(happened_at) over amounts_of_deal is null then 'exact' else 'poll' end,
        coalesce(
            {{ seconds_between('lag(happened_at) over amounts_of_deal', 'happened_at') }}, 0
        ),
        seen_at,
        raw_version_id
    from amounts
    where
        -- Where no stay tells an amount, the history may not show amounts at all.
        deal_key in (
            select settled.deal_key from settled
            where settled.deal_amount is not null
        )
    window amounts_of_deal as (partition by deal_key order by happened_at)
)

select
    deal_key,
    field,
    value,
    lag(value) over changes_of_field as old_value,
    happened_at,
    changed_by,
    'Stage_History' as change_source,
    change_precision,
    1 as place,
    uncertainty_seconds,
    seen_at,
    raw_version_id
from told
window changes_of_field as (partition by deal_key, field order by happened_at)
qualify value is distinct from lag(value) over changes_of_field
