-- Grain: one row per deal and instant at which something about it changed, every followed
-- field as it stood from then on. fct_deal_version adds what the dimensions say.
--
-- All windows are partitioned by the deal, so that the work grows with the deals and never
-- with the table.

with events as (
    select * from {{ ref('int_deal_field_events') }}
),

instants as (
    select
        deal_key,
        happened_at,
        {% for field in [
            'stage', 'pipeline', 'amount', 'expected_close_date', 'owner', 'currency_code', 'version',
            'is_deleted', 'is_merged_away',
        ] %}
        arg_max(value, place) filter (where field = '{{ field }}') as {{ field }},
        {% endfor %}
        max(change_precision) filter (where field = 'stage') as stage_precision,
        max(uncertainty_seconds) filter (where field = 'stage') as stage_uncertainty_seconds,
        -- assumed < exact < poll by letter: an instant is as sure as its surest event.
        case
            when bool_or(change_precision = 'exact') then 'exact'
            when bool_or(change_precision = 'poll') then 'poll'
            else 'assumed'
        end as change_precision,
        min(seen_at) as seen_at,
        max(raw_version_id) as raw_version_id
    from events
    where field in (
        'stage', 'pipeline', 'amount', 'expected_close_date', 'owner', 'currency_code', 'version',
        'is_deleted', 'is_merged_away'
    )
    group by deal_key, happened_at
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
    window w as (partition by deal_key order by happened_at)
),

paired as (
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

filled as (
    select
        deal_key,
        happened_at,
        {% for field in [
            'stage', 'pipeline', 'amount', 'expected_close_date', 'owner', 'currency_code', 'version',
            'is_deleted', 'is_merged_away',
        ] %}
        {% if field == 'version' %}
        -- Events may be older than createdate by a moment: the first content holds for them.
        coalesce(
            last_value(version ignore nulls) over w,
            first_value(version ignore nulls) over (
                partition by deal_key order by happened_at
                rows between unbounded preceding and unbounded following
            )
        ) as version,
        {% else %}
        last_value({{ field }} ignore nulls) over w as {{ field }},
        {% endif %}
        {% endfor %}
        {% for field in [
            'stage', 'pipeline', 'amount', 'expected_close_date', 'owner', 'currency_code',
        ] %}
        {{ field }} is not null as has_{{ field }}_event,
        {% endfor %}
        version is not null as has_version_event,
        is_deleted is not null as has_deletion_event,
        is_merged_away is not null as has_merge_event,
        stage_precision,
        stage_uncertainty_seconds,
        change_precision,
        seen_at,
        raw_version_id
    from paired
    window w as (
        partition by deal_key order by happened_at
        rows between unbounded preceding and current row
    )
),

compared as (
    select
        *,
        lag(hash(
            stage, pipeline, amount, expected_close_date, owner, currency_code, version,
            is_deleted, is_merged_away
        )) over w as previous_hash,
        hash(
            stage, pipeline, amount, expected_close_date, owner, currency_code, version,
            is_deleted, is_merged_away
        ) as content_hash,
        row_number() over w as instant_no,
        min(seen_at) over (
            partition by deal_key order by happened_at
            rows between current row and unbounded following
        ) as known_by
    from filled
    window w as (partition by deal_key order by happened_at)
),

final as (
    select
        * exclude (previous_hash, content_hash, instant_no),
        row_number() over w as version_no,
        lead(happened_at) over w as valid_to,
        lead(known_by) over w as seen_to,
        -- Something before this instant became known only after it.
        max(seen_at) over (
            partition by deal_key order by happened_at
            rows between unbounded preceding and current row
        ) > seen_at as is_restated
    from compared
    where instant_no = 1 or previous_hash is distinct from content_hash
    window w as (partition by deal_key order by happened_at)
)

select * from final
