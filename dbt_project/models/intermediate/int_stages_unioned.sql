-- Grain: one row per stage x instant at which its pipeline was seen to change: the whole
-- pipeline as it stood then, so that the order of stages can be told for every instant.

with from_sources as (
    select * from {{ ref('int_stages_stated') }}
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
