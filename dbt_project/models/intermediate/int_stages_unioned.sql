-- Grain: one row per stage x instant at which its pipeline was seen to change: the whole
-- pipeline as it stood then, so that the order of stages can be told for every instant.

with typed_nothing as (
    select
        cast(null as varchar) as connection,
        cast(null as varchar) as source_system,
        cast(null as varchar) as pipeline_id,
        cast(null as varchar) as pipeline_name,
        cast(null as bigint) as pipeline_order,
        cast(null as boolean) as is_pipeline_deleted,
        cast(null as varchar) as stage_id,
        cast(null as varchar) as stage_name,
        cast(null as varchar) as stage_type,
        cast(null as bigint) as display_order,
        cast(null as decimal(9, 6)) as probability,
        cast(null as varchar) as forecast_category,
        cast(null as bigint) as rotten_days,
        cast(null as boolean) as is_deleted,
        cast(null as {{ instant_type() }}) as seen_at,
        cast(null as varchar) as raw_version_id
    where false
)

{% if has_source('hubspot') %},
hubspot_pipelines as (
    -- Two versions of one instant: the later one is what stood.
    select * from {{ ref('stg_hubspot__deal_pipelines') }}
    where change != 'access_lost'
    qualify row_number() over (
        partition by pipeline_key, observed_at
        order by sync_id desc, position desc
    ) = 1
),

hubspot_listed as (
    select
        pipeline_key,
        observed_at,
        unnest(stages) as stage
    from hubspot_pipelines
),

hubspot_known as (
    select
        pipeline_key,
        stage.id as stage_id,
        arg_max(stage, observed_at) as last_shown,
        min(observed_at) as first_shown_at
    from hubspot_listed
    group by pipeline_key, stage.id
),

hubspot_names as (
    -- A deleted pipeline comes without a body: its last name stays.
    select
        pipeline_key,
        arg_max(pipeline_name, observed_at) filter (where pipeline_name is not null)
            as pipeline_name,
        arg_max(pipeline_order, observed_at) filter (where pipeline_order is not null)
            as pipeline_order
    from hubspot_pipelines
    group by pipeline_key
),

hubspot as (
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
        cast(null as varchar) as forecast_category,
        cast(null as bigint) as rotten_days,
        listed.stage is null
        or coalesce(listed.stage.archived, false)
        or pipelines.is_deleted as is_deleted,
        pipelines.observed_at as seen_at,
        pipelines.raw_version_id
    from hubspot_pipelines as pipelines
    inner join hubspot_names as names
        on pipelines.pipeline_key = names.pipeline_key
    inner join hubspot_known as known
        on
            pipelines.pipeline_key = known.pipeline_key
            and pipelines.observed_at >= known.first_shown_at
    left join hubspot_listed as listed
        on
            pipelines.pipeline_key = listed.pipeline_key
            and pipelines.observed_at = listed.observed_at
            and known.stage_id = listed.stage.id
)
{% endif %}

{% if has_source('files') %},
files_stages as (
    select * from {{ ref('stg_files__stages') }}
),

files_instants as (
    select distinct
        connection,
        pipeline_id,
        observed_at
    from files_stages
),

files as (
    select
        stages.connection,
        'files' as source_system,
        stages.pipeline_id,
        arg_max(
            stages.pipeline_name, (stages.observed_at, stages.sync_id, stages.position)
        ) filter (where stages.pipeline_name is not null) as pipeline_name,
        cast(null as bigint) as pipeline_order,
        false as is_pipeline_deleted,
        stages.stage_id,
        arg_max(
            stages.stage_name, (stages.observed_at, stages.sync_id, stages.position)
        ) filter (where not stages.is_deleted) as stage_name,
        arg_max(
            stages.stage_type, (stages.observed_at, stages.sync_id, stages.position)
        ) filter (where not stages.is_deleted) as stage_type,
        arg_max(
            stages.stage_order, (stages.observed_at, stages.sync_id, stages.position)
        ) filter (where not stages.is_deleted) as display_order,
        arg_max(
            stages.probability, (stages.observed_at, stages.sync_id, stages.position)
        ) filter (where not stages.is_deleted) as probability,
        arg_max(
            stages.forecast_category, (stages.observed_at, stages.sync_id, stages.position)
        ) filter (where not stages.is_deleted) as forecast_category,
        arg_max(
            stages.rotten_days, (stages.observed_at, stages.sync_id, stages.position)
        ) filter (where not stages.is_deleted) as rotten_days,
        arg_max(
            stages.is_deleted, (stages.observed_at, stages.sync_id, stages.position)
        ) as is_deleted,
        instants.observed_at as seen_at,
        arg_max(
            stages.raw_version_id, (stages.observed_at, stages.sync_id, stages.position)
        ) as raw_version_id
    from files_stages as stages
    inner join files_instants as instants
        on
            stages.connection = instants.connection
            and stages.pipeline_id = instants.pipeline_id
            and stages.observed_at <= instants.observed_at
    group by stages.connection, stages.pipeline_id, stages.stage_id, instants.observed_at
)
{% endif %},

from_sources as (
    select * from typed_nothing
    {% if has_source('hubspot') %}
    union all
    select * from hubspot
    {% endif %}
    {% if has_source('files') %}
    union all
    select * from files
    {% endif %}
),

from_settings as (
    -- A pipeline that no source describes stands as the settings describe it.
    select
        settings.connection,
        connections.source as source_system,
        settings.pipeline_id,
        settings.pipeline_name,
        cast(null as bigint) as pipeline_order,
        false as is_pipeline_deleted,
        settings.stage_id,
        settings.stage_name,
        coalesce(settings.stage_type, 'open') as stage_type,
        cast(settings.stage_order as bigint) as display_order,
        settings.probability,
        settings.forecast_category,
        cast(settings.rotten_days as bigint) as rotten_days,
        false as is_deleted,
        cast('1970-01-01 00:00:00+00' as {{ instant_type() }}) as seen_at,
        cast(null as varchar) as raw_version_id
    from {{ ref('stg_config__stages') }} as settings
    inner join {{ ref('stg_config__connections') }} as connections
        on settings.connection = connections.connection
    where not exists (
        select 1 from from_sources
        where
            from_sources.connection = settings.connection
            and from_sources.pipeline_id = settings.pipeline_id
    )
),

final as (
    select * from from_sources
    union all
    select * from from_settings
)

select * from final
