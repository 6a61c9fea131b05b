-- Grain: one row per stage of a pipeline and version.

with versions as (
    select * from {{ ref('int_stage_versions') }}
),

final as (
    select
        concat(stage_key, ':', epoch_ms(valid_from)) as stage_version_key,
        stage_key,
        pipeline_key,
        stage_id,
        stage_name,
        pipeline_name,
        stage_type,
        cast(stage_order as bigint) as stage_order,
        cast(n_open_stages as bigint) as n_open_stages,
        cast(probability as decimal(9, 6)) as probability,
        forecast_category,
        cast(rotten_days as bigint) as rotten_days,
        valid_to is null as is_current,
        is_first_version,
        valid_from,
        valid_to,
        is_deleted,
        source_system,
        connection,
        raw_version_id
    from versions
)

select * from final
