-- Grain: one row per Salesforce stage, sales process and instant at which stages or record
-- types were seen to change: all of them as they stood then.
--
-- Which stages a sales process offers the API does not say: each shows all of them.

with instants as (
    select connection, observed_at from {{ ref('stg_salesforce__stages') }}
    union
    select connection, observed_at from {{ ref('stg_salesforce__record_types') }}
),

stage_states as (
    select
        instants.observed_at as seen_at,
        stages.connection,
        stages.stage_id,
        {% for column in ['stage_name', 'display_order', 'probability_percent',
            'forecast_category_name', 'is_closed', 'is_won', 'is_active'] %}
        arg_max(stages.{{ column }}, (stages.observed_at, stages.sync_id, stages.position))
        filter (where stages.has_content) as {{ column }},
        {% endfor %}
        arg_max(stages.is_deleted, (stages.observed_at, stages.sync_id, stages.position))
            as is_deleted,
        arg_max(stages.raw_version_id, (stages.observed_at, stages.sync_id, stages.position))
            as raw_version_id
    from instants
    inner join {{ ref('stg_salesforce__stages') }} as stages
        on
            instants.connection = stages.connection
            and instants.observed_at >= stages.observed_at
    group by instants.observed_at, stages.connection, stages.stage_id
),

process_states as (
    select
        instants.observed_at as seen_at,
        types.connection,
        types.record_type_id as pipeline_id,
        arg_max(types.record_type_name, (types.observed_at, types.sync_id, types.position))
        filter (where types.has_content) as pipeline_name,
        arg_max(types.is_deleted, (types.observed_at, types.sync_id, types.position))
            as is_pipeline_deleted
    from instants
    inner join {{ ref('stg_salesforce__record_types') }} as types
        on
            instants.connection = types.connection
            and instants.observed_at >= types.observed_at
    where types.object_name = 'Opportunity' or not types.has_content
    group by instants.observed_at, types.connection, types.record_type_id

    union all

    select
        observed_at,
        connection,
        'default',
        'Sales',
        false
    from instants
),

placed as (
    select
        process_states.*,
        stage_states.* exclude (seen_at, connection),
        row_number() over (
            partition by
                process_states.connection,
                process_states.seen_at,
                process_states.pipeline_id,
                stage_states.stage_name
            order by stage_states.is_deleted, not stage_states.is_active, stage_states.stage_id
        ) as place
    from process_states
    inner join stage_states
        on
            process_states.connection = stage_states.connection
            and process_states.seen_at = stage_states.seen_at
    where process_states.pipeline_name is not null
)

select
    connection,
    'salesforce' as source_system,
    pipeline_id,
    pipeline_name,
    dense_rank() over (
        partition by connection, seen_at order by pipeline_id <> 'default', pipeline_id
    ) as pipeline_order,
    is_pipeline_deleted,
    stage_name as stage_id,
    stage_name,
    case when not is_closed then 'open' when is_won then 'won' else 'lost' end as stage_type,
    row_number() over (
        partition by connection, seen_at, pipeline_id order by is_closed, display_order, stage_id
    ) as display_order,
    cast(probability_percent / 100 as decimal(9, 6)) as probability,
    case lower(forecast_category_name)
        when 'omitted' then 'omitted'
        when 'pipeline' then 'pipeline'
        when 'best case' then 'best_case'
        when 'most likely' then 'most_likely'
        when 'commit' then 'commit'
        when 'closed' then 'closed'
    end as forecast_category,
    is_deleted,
    seen_at,
    raw_version_id
from placed
where place = 1
