-- Grain: one row per Zoho stage, pipeline and instant at which pipelines were seen to change:
-- all of them as they stood then. A stage is its actual value, which outlives a new name.

with pipelines as (
    select * from {{ ref('stg_zoho__pipelines') }}
),

instants as (
    select connection, observed_at from pipelines
    union
    select connection, observed_at from {{ ref('stg_zoho__stage_values') }}
),

pipeline_states as (
    select
        instants.observed_at as seen_at,
        pipelines.connection,
        pipelines.pipeline_id,
        {% for column in ['display_value', 'stages', 'is_default'] %}
        arg_max(
            pipelines.{{ column }}, (pipelines.observed_at, pipelines.sync_id, pipelines.position)
        ) filter (where pipelines.has_content) as {{ column }},
        {% endfor %}
        arg_max(
            pipelines.is_deleted, (pipelines.observed_at, pipelines.sync_id, pipelines.position)
        ) as is_pipeline_deleted,
        arg_max(
            pipelines.raw_version_id,
            (pipelines.observed_at, pipelines.sync_id, pipelines.position)
        ) as raw_version_id
    from instants
    inner join pipelines
        on
            instants.connection = pipelines.connection
            and instants.observed_at >= pipelines.observed_at
    group by instants.observed_at, pipelines.connection, pipelines.pipeline_id
),

listed as (
    select
        seen_at,
        connection,
        pipeline_id,
        unnest(stages) as stage
    from pipeline_states
),

known as (
    select
        connection,
        pipeline_id,
        stage.actual_value as stage_id,
        arg_max(stage, seen_at) as last_shown,
        min(seen_at) as first_shown_at
    from listed
    where stage.actual_value is not null
    group by connection, pipeline_id, stage.actual_value
),

picklists as (
    select
        connection,
        observed_at,
        sync_id,
        position,
        unnest(picklist_values) as picked
    from {{ ref('stg_zoho__stage_values') }}
    where change = 'upsert'
),

probabilities as (
    select
        connection,
        picked.actual_value as stage_id,
        arg_max(picked.probability, (observed_at, sync_id, position)) as probability_percent
    from picklists
    group by connection, picked.actual_value
),

placed as (
    select
        states.seen_at,
        states.connection,
        states.pipeline_id,
        states.display_value as pipeline_name,
        states.is_default,
        states.is_pipeline_deleted,
        states.raw_version_id,
        known.stage_id,
        coalesce(listed.stage, known.last_shown) as stage,
        listed.stage is null as is_deleted
    from pipeline_states as states
    inner join known
        on
            states.connection = known.connection
            and states.pipeline_id = known.pipeline_id
            and states.seen_at >= known.first_shown_at
    left join listed
        on
            states.connection = listed.connection
            and states.seen_at = listed.seen_at
            and states.pipeline_id = listed.pipeline_id
            and known.stage_id = listed.stage.actual_value
)

select
    placed.connection,
    'zoho' as source_system,
    placed.pipeline_id,
    placed.pipeline_name,
    dense_rank() over (
        partition by placed.connection, placed.seen_at
        order by placed.is_default desc, placed.pipeline_id
    ) as pipeline_order,
    placed.is_pipeline_deleted,
    placed.stage_id,
    placed.stage.display_value as stage_name,
    case placed.stage.forecast_type
        when 'Closed Won' then 'won'
        when 'Closed Lost' then 'lost'
        else 'open'
    end as stage_type,
    row_number() over (
        partition by placed.connection, placed.seen_at, placed.pipeline_id
        order by placed.is_deleted, placed.stage.sequence_number, placed.stage_id
    ) as display_order,
    cast(
        case placed.stage.forecast_type
            when 'Closed Won' then 1
            when 'Closed Lost' then 0
            else probabilities.probability_percent / 100
        end as decimal(9, 6)
    ) as probability,
    case lower(placed.stage.forecast_category.name)
        when 'omitted' then 'omitted'
        when 'pipeline' then 'pipeline'
        when 'best case' then 'best_case'
        when 'committed' then 'commit'
        when 'closed' then 'closed'
    end as forecast_category,
    placed.is_deleted,
    placed.seen_at,
    placed.raw_version_id
from placed
left join probabilities
    on
        placed.connection = probabilities.connection
        and placed.stage_id = probabilities.stage_id
