-- Grain: one row per Pipedrive stage and instant at which stages or pipelines were seen to
-- change: all of them as they stood then. 'won' and 'lost' end every pipeline; they are states
-- of a deal there and no stages.

with instants as (
    select connection, observed_at from {{ ref('stg_pipedrive__stages') }}
    union
    select connection, observed_at from {{ ref('stg_pipedrive__pipelines') }}
),

pipeline_states as (
    select
        instants.observed_at as seen_at,
        pipelines.connection,
        pipelines.pipeline_id,
        arg_max(
            pipelines.pipeline_name, (pipelines.observed_at, pipelines.sync_id, pipelines.position)
        ) as pipeline_name,
        arg_max(
            pipelines.display_order, (pipelines.observed_at, pipelines.sync_id, pipelines.position)
        ) filter (where pipelines.has_content) as pipeline_order,
        arg_max(
            pipelines.has_probability,
            (pipelines.observed_at, pipelines.sync_id, pipelines.position)
        ) filter (where pipelines.has_content) as has_probability,
        arg_max(
            pipelines.is_deleted, (pipelines.observed_at, pipelines.sync_id, pipelines.position)
        ) as is_pipeline_deleted,
        arg_max(
            pipelines.raw_version_id,
            (pipelines.observed_at, pipelines.sync_id, pipelines.position)
        ) as pipeline_version_id
    from instants
    inner join {{ ref('stg_pipedrive__pipelines') }} as pipelines
        on
            instants.connection = pipelines.connection
            and instants.observed_at >= pipelines.observed_at
    group by instants.observed_at, pipelines.connection, pipelines.pipeline_id
),

stage_states as (
    select
        instants.observed_at as seen_at,
        stages.connection,
        stages.stage_id,
        {% for column in ['stage_name', 'pipeline_id', 'display_order', 'probability_percent',
            'rotten_days'] %}
        arg_max(stages.{{ column }}, (stages.observed_at, stages.sync_id, stages.position))
        filter (where stages.has_content) as {{ column }},
        {% endfor %}
        arg_max(stages.is_deleted, (stages.observed_at, stages.sync_id, stages.position))
            as is_deleted,
        arg_max(stages.raw_version_id, (stages.observed_at, stages.sync_id, stages.position))
            as raw_version_id
    from instants
    inner join {{ ref('stg_pipedrive__stages') }} as stages
        on
            instants.connection = stages.connection
            and instants.observed_at >= stages.observed_at
    group by instants.observed_at, stages.connection, stages.stage_id
),

placed as (
    select
        pipeline_states.*,
        stage_states.stage_id,
        stage_states.stage_name,
        'open' as stage_type,
        coalesce(stage_states.display_order, 0) as display_order,
        case when pipeline_states.has_probability then stage_states.probability_percent end
            as probability_percent,
        stage_states.rotten_days,
        stage_states.is_deleted,
        stage_states.raw_version_id
    from stage_states
    inner join pipeline_states
        on
            stage_states.connection = pipeline_states.connection
            and stage_states.seen_at = pipeline_states.seen_at
            and stage_states.pipeline_id = pipeline_states.pipeline_id

    union all

    select
        pipeline_states.*,
        ends.stage_type,
        ends.stage_name,
        ends.stage_type,
        ends.display_order,
        ends.probability_percent,
        null,
        false,
        pipeline_states.pipeline_version_id
    from pipeline_states
    cross join (
        values ('won', 'Won', 1000000, 100), ('lost', 'Lost', 1000001, 0)
    ) as ends (stage_type, stage_name, display_order, probability_percent)
)

select
    connection,
    'pipedrive' as source_system,
    pipeline_id,
    pipeline_name,
    pipeline_order,
    is_pipeline_deleted,
    stage_id,
    stage_name,
    stage_type,
    row_number() over (
        partition by connection, seen_at, pipeline_id
        order by display_order, try_cast(stage_id as bigint)
    ) as display_order,
    cast(probability_percent / 100 as decimal(9, 6)) as probability,
    rotten_days,
    is_deleted,
    seen_at,
    raw_version_id
from placed
