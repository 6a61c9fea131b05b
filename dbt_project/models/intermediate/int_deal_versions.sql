-- Grain: one row per deal and instant at which something about it changed, every followed
-- field as it stood from then on. fct_deal_version adds what the dimensions say.
--
-- All windows are partitioned by the deal, so that the work grows with the deals and never
-- with the table. One pass serves nearly all deals; the two rare cases, a move between
-- pipelines written as two edits and an event that changes nothing, are mended for the deals
-- that have them.
--
-- depends_on: {{ ref('int_deal_inputs') }}

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook='{{ forget_changed_deals() }}',
    in_parts_of='int_deal_inputs',
    in_parts_where='is_changed',
    in_parts_rows=4,
) }}

{% set fields = [
    'stage', 'pipeline', 'amount', 'expected_close_date', 'owner', 'currency_code', 'version',
    'is_deleted', 'is_merged_away',
] %}

with events as (
    select * from {{ ref('int_deal_field_events') }}
    {{ only_changed_deals() }}
),

instants as materialized (
    select
        deal_key,
        happened_at,
        {% for field in fields %}
        arg_max(value, place) filter (where field = '{{ field }}') as {{ field }},
        {% endfor %}
        max(change_precision) filter (where field = 'stage') as stage_precision,
        max(uncertainty_seconds) filter (where field = 'stage') as stage_uncertainty_seconds,
        -- An instant is as sure as its surest event.
        case
            when bool_or(change_precision = 'exact') then 'exact'
            when bool_or(change_precision = 'poll') then 'poll'
            else 'assumed'
        end as change_precision,
        min(seen_at) as seen_at,
        max(raw_version_id) as raw_version_id
    from events
    where field in ({% for field in fields %}'{{ field }}'{{ ', ' if not loop.last }}{% endfor %})
    group by deal_key, happened_at
),

split_moves as (
    select distinct deal_key
    from instants
    where pipeline is not null and stage is null
),

-- A move to another pipeline is written as two edits some milliseconds apart. Between them
-- the deal stood in no stage of either pipeline: the two are one move, at the later edit.
neighbours as (
    select
        *,
        stage is null != (pipeline is null) as is_half,
        lead(stage) over w as next_stage,
        lead(pipeline) over w as next_pipeline,
        lead(happened_at) over w <= happened_at + interval 2 second as is_next_near,
        lag(stage) over w as last_stage,
        lag(pipeline) over w as last_pipeline,
        lag(happened_at) over w >= happened_at - interval 2 second as is_last_near
    from instants
    where deal_key in (select deal_key from split_moves)
    window w as (partition by deal_key order by happened_at)
),

paired as (
    select * from instants
    where deal_key not in (select deal_key from split_moves)

    union all

    select
        deal_key,
        happened_at,
        case
            when is_half and stage is not null and is_next_near
                and next_stage is null and next_pipeline is not null then null
            when is_half and pipeline is not null and is_last_near
                and last_pipeline is null and last_stage is not null then last_stage
            else stage
        end as stage,
        case
            when is_half and pipeline is not null and is_next_near
                and next_pipeline is null and next_stage is not null then null
            when is_half and stage is not null and is_last_near
                and last_stage is null and last_pipeline is not null then last_pipeline
            else pipeline
        end as pipeline,
        amount,
        expected_close_date,
        owner,
        currency_code,
        version,
        is_deleted,
        is_merged_away,
        stage_precision,
        stage_uncertainty_seconds,
        change_precision,
        seen_at,
        raw_version_id
    from neighbours
),

-- Each field is carried forward from its last event; '' means emptied and is carried too.
carried as (
    select
        *,
        {% for field in fields %}
        last_value({{ field }} ignore nulls) over earlier as old_{{ field }},
        {% endfor %}
        -- Events may be older than createdate by a moment: the first content holds for them.
        first_value(version ignore nulls) over (
            partition by deal_key order by happened_at
            rows between unbounded preceding and unbounded following
        ) as first_version,
        row_number() over (partition by deal_key order by happened_at) as instant_no,
        lead(happened_at) over (partition by deal_key order by happened_at) as next_at,
        min(seen_at) over (
            partition by deal_key order by happened_at
            rows between 1 following and unbounded following
        ) as next_seen_at,
        max(seen_at) over earlier as last_seen_at
    from paired
    window earlier as (
        partition by deal_key order by happened_at
        rows between unbounded preceding and 1 preceding
    )
),

filled as (
    select
        deal_key,
        happened_at,
        {% for field in fields %}
        coalesce({{ field }}, old_{{ field }}{{ ', first_version' if field == 'version' }})
            as {{ field }},
        {% endfor %}
        {% for field in fields if field not in ('is_deleted', 'is_merged_away') %}
        {{ field }} is not null as has_{{ field }}_event,
        {% endfor %}
        is_deleted is not null as has_deletion_event,
        is_merged_away is not null as has_merge_event,
        stage_precision,
        stage_uncertainty_seconds,
        change_precision,
        seen_at,
        raw_version_id,
        instant_no,
        next_at,
        next_seen_at,
        last_seen_at,
        instant_no > 1
        {% for field in fields %}
        and (
            {{ field }} is null
            or {{ field }} = coalesce(
                old_{{ field }}{{ ', first_version' if field == 'version' }}, ''
            )
        )
        {% endfor %} as is_nothing_new
    from carried
),

idle as (
    select distinct deal_key
    from filled
    where is_nothing_new
),

straight as (
    select
        * exclude (instant_no, next_at, next_seen_at, last_seen_at, is_nothing_new),
        instant_no as version_no,
        next_at as valid_to,
        next_seen_at as seen_to,
        -- Something before this instant became known only after it.
        coalesce(last_seen_at > seen_at, false) as is_restated
    from filled
    where deal_key not in (select deal_key from idle)
),

thinned as (
    select
        * exclude (instant_no, next_at, next_seen_at, last_seen_at, is_nothing_new),
        row_number() over w as version_no,
        lead(happened_at) over w as valid_to,
        lead(least(seen_at, next_seen_at)) over w as seen_to,
        max(seen_at) over w > seen_at as is_restated
    from filled
    where deal_key in (select deal_key from idle) and not is_nothing_new
    window w as (partition by deal_key order by happened_at)
),

final as (
    select * from straight
    union all
    select * from thinned
)

select * from final
