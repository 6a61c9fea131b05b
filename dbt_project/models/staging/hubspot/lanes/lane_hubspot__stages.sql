-- Grain: one row per HubSpot stage x instant at which its pipeline was seen to change: the
-- whole pipeline as it stood then.

with pipeline_versions as (
    -- Two versions of one instant: the later one is what stood.
    select * from {{ ref('stg_hubspot__deal_pipelines') }}
    where change != 'access_lost'
    qualify row_number() over (
        partition by pipeline_key, observed_at
        order by sync_id desc, position desc
    ) = 1
),

listed_stages as (
    select
        pipeline_key,
        observed_at,
        unnest(stages) as stage
    from pipeline_versions
),

known_stages as (
    select
        pipeline_key,
        stage.id as stage_id,
        arg_max(stage, observed_at) as last_shown,
        min(observed_at) as first_shown_at
    from listed_stages
    group by pipeline_key, stage.id
),

pipeline_names as (
    -- A deleted pipeline comes without a body: its last name stays.
    select
        pipeline_key,
        arg_max(pipeline_name, observed_at) filter (where pipeline_name is not null)
            as pipeline_name,
        arg_max(pipeline_order, observed_at) filter (where pipeline_order is not null)
            as pipeline_order
    from pipeline_versions
    group by pipeline_key
)

select
    pipelines.connection,
    'hubspot' as source_system,
    pipelines.pipeline_id,
    coalesce(pipelines.pipeline_name, names.pipeline_name) as pipeline_name,
    coalesce(pipelines.pipeline_order, names.pipeline_order) as pipeline_order,
    pipelines.is_deleted as is_pipeline_deleted,
    known.stage_id,
    coalesce(listed.stage.label, known.last_shown.label) as stage_name,
    case
        when lower(coalesce(
            listed.stage.metadata.isClosed, known.last_shown.metadata.isClosed
        )) != 'true' then 'open'
        when coalesce(
            listed.stage.metadata.probability, known.last_shown.metadata.probability
        ) = 1 then 'won'
        else 'lost'
    end as stage_type,
    coalesce(listed.stage.displayOrder, known.last_shown.displayOrder) as display_order,
    cast(coalesce(
        listed.stage.metadata.probability, known.last_shown.metadata.probability
    ) as decimal(9, 6)) as probability,
    listed.stage is null
    or coalesce(listed.stage.archived, false)
    or pipelines.is_deleted as is_deleted,
    pipelines.observed_at as seen_at,
    pipelines.raw_version_id
from pipeline_versions as pipelines
inner join pipeline_names as names
    on pipelines.pipeline_key = names.pipeline_key
inner join known_stages as known
    on
        pipelines.pipeline_key = known.pipeline_key
        and pipelines.observed_at >= known.first_shown_at
left join listed_stages as listed
    on
        pipelines.pipeline_key = listed.pipeline_key
        and pipelines.observed_at = listed.observed_at
        and known.stage_id = listed.stage.id
