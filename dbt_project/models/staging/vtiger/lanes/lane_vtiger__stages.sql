-- Grain: one row per Vtiger stage x instant at which the picklist was seen to change: all
-- stages as they stood then. Stages are the values of sales_stage; where a cloud instance has
-- pipelines, each of them has all stages, because the description does not say which.

with picklists as (
    select
        *,
        case
            when coalesce(len(pipelines), 0) = 0 then [{'label': 'Sales', 'value': 'default'}]
            else pipelines
        end as named_pipelines
    from {{ ref('stg_vtiger__modules') }}
    where module_name = 'Potentials' and change = 'upsert'
    qualify row_number() over (
        partition by connection, observed_at
        order by sync_id desc, position desc
    ) = 1
),

placed as (
    select
        connection,
        observed_at,
        raw_version_id,
        stages,
        {{ list_places('named_pipelines') }} as pipeline_order,
        unnest(named_pipelines) as pipeline
    from picklists
),

listed as (
    select
        connection,
        observed_at,
        pipeline.value as pipeline_id,
        {{ list_places('stages') }} as display_order,
        unnest(stages) as stage
    from placed
),

known as (
    select
        connection,
        pipeline_id,
        stage.value as stage_id,
        arg_max(stage, observed_at) as last_shown,
        arg_max(display_order, observed_at) as last_order,
        min(observed_at) as first_shown_at
    from listed
    where stage.value <> ''
    group by connection, pipeline_id, stage.value
)

select
    placed.connection,
    'vtiger' as source_system,
    placed.pipeline.value as pipeline_id,
    placed.pipeline.label as pipeline_name,
    placed.pipeline_order,
    false as is_pipeline_deleted,
    known.stage_id,
    coalesce(listed.stage.label, known.last_shown.label) as stage_name,
    case lower(known.stage_id)
        when 'closed won' then 'won'
        when 'closed lost' then 'lost'
        else 'open'
    end as stage_type,
    coalesce(listed.display_order, known.last_order) as display_order,
    -- While open it stands on the deal, not on the stage.
    case lower(known.stage_id) when 'closed won' then 1 when 'closed lost' then 0 end
        as probability,
    listed.stage is null as is_deleted,
    placed.observed_at as seen_at,
    placed.raw_version_id
from placed
inner join known
    on
        placed.connection = known.connection
        and placed.pipeline.value = known.pipeline_id
        and placed.observed_at >= known.first_shown_at
left join listed
    on
        placed.connection = listed.connection
        and placed.observed_at = listed.observed_at
        and placed.pipeline.value = listed.pipeline_id
        and known.stage_id = listed.stage.value
