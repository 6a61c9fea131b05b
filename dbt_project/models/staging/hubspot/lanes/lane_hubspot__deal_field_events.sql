-- Grain: one row per deal, field, instant and value that HubSpot's own history tells.
--
-- The histories of all landed versions are united, because their depth is capped; an event
-- that several versions tell is one event, first seen with the first of them.

{% set histories = [
    ('stage', 'stage_history'),
    ('pipeline', 'pipeline_history'),
    ('amount', 'amount_history'),
    ('expected_close_date', 'close_date_history'),
    ('owner', 'owner_history'),
    ('currency_code', 'currency_history'),
] %}

-- Read many times and never held: each reader needs one of its lists.
with landed_histories as not materialized (
    select * from {{ ref('stg_hubspot__deals') }}
),

several_versions as (
    select deal_key from landed_histories
    group by deal_key
    having count(*) > 1
),

{#- What the deals told by one version say is told once. The two are parted before their lists are
    unrolled, and never held: there is a row for everything that ever happened. -#}
{%- for told, parted in [('told_once', 'not in'), ('told_again', 'in')] %}

{{ told }} as not materialized (
    {%- for field, list_name in histories %}
    {{ 'union all' if not loop.first }}
    select
        deal_key,
        '{{ field }}' as field,
        unnest({{ list_name }}) as event,
        -- Newest first: of two events in one millisecond the earlier listed is the later.
        -{{ list_places(list_name) }} as place,
        observed_at,
        raw_version_id
    from landed_histories
    where
        has_content and len({{ list_name }}) > 0
        and deal_key {{ parted }} (select several_versions.deal_key from several_versions)
    {%- endfor %}
),

{{ told }}_events as not materialized (
    select
        deal_key,
        field,
        case field
            when 'amount' then coalesce(cast({{ money_from_text('event.value') }} as varchar), '')
            when 'expected_close_date' then coalesce(cast({{ company_date(
                try_cast_to('event.value', 'timestamptz')
            ) }} as varchar), '')
            when 'currency_code' then upper(coalesce(trim(event.value), ''))
            else coalesce(trim(event.value), '')
        end as value,
        event.timestamp as happened_at,
        coalesce(event.updatedByUserId, event.sourceId) as changed_by,
        event.sourceType as change_source,
        place,
        observed_at as seen_at,
        raw_version_id
    from {{ told }}
    where event.timestamp is not null
),
{%- endfor %}

exact as not materialized (
    select * from told_once_events

    union all

    select
        deal_key,
        field,
        value,
        happened_at,
        arg_min(changed_by, (seen_at, raw_version_id)) as changed_by,
        arg_min(change_source, (seen_at, raw_version_id)) as change_source,
        arg_min(place, (seen_at, raw_version_id)) as place,
        min(seen_at) as seen_at,
        arg_min(raw_version_id, (seen_at, raw_version_id)) as raw_version_id
    from told_again_events
    group by deal_key, field, value, happened_at
),

-- A history that begins after the deal: the vendor's depth cut its start off, or the import
-- did not write one. What it begins with is assumed to have held since creation.
oldest_told as not materialized (
    select
        deal_key,
        stage_history[-1] as stage_event,
        pipeline_history[-1] as pipeline_event,
        created_at,
        observed_at as seen_at,
        raw_version_id
    from landed_histories
    where
        has_content
        and deal_key not in (select several_versions.deal_key from several_versions)

    union all

    select
        deal_key,
        arg_min(stage_history[-1], (observed_at, sync_id, position)) as stage_event,
        arg_min(pipeline_history[-1], (observed_at, sync_id, position)) as pipeline_event,
        min(created_at) as created_at,
        min(observed_at) as seen_at,
        arg_min(raw_version_id, (observed_at, sync_id, position)) as raw_version_id
    from landed_histories
    where has_content and deal_key in (select several_versions.deal_key from several_versions)
    group by deal_key
),

before_history as (
    {% for field in ['stage', 'pipeline'] %}
    {% if not loop.first %}union all{% endif %}
    select
        deal_key,
        '{{ field }}' as field,
        coalesce(trim({{ field }}_event.value), '') as value,
        created_at as happened_at,
        case
            when {{ field }}_event.timestamp
                <= created_at + interval '{{ var("min_stay_seconds") }} seconds' then 'exact'
            else 'assumed'
        end as change_precision,
        seen_at,
        raw_version_id
    from oldest_told
    where {{ field }}_event.timestamp > created_at
    {% endfor %}
)

select
    deal_key,
    field,
    value,
    happened_at,
    changed_by,
    change_source,
    'exact' as change_precision,
    place,
    0 as uncertainty_seconds,
    seen_at,
    raw_version_id,
    true as is_told_by_deal
from exact

union all

select
    deal_key,
    field,
    value,
    happened_at,
    cast(null as varchar),
    cast(null as varchar),
    change_precision,
    -1000000,
    case when change_precision = 'exact' then 0 end,
    seen_at,
    raw_version_id,
    true
from before_history
