-- Grain: one row per stage of a pipeline and version.

select
    cast(null as varchar) as stage_version_key,
    cast(null as varchar) as stage_key,
    cast(null as varchar) as pipeline_key,
    cast(null as varchar) as stage_id,
    cast(null as varchar) as stage_name,
    cast(null as varchar) as pipeline_name,
    cast(null as varchar) as stage_type,
    cast(null as bigint) as stage_order,
    cast(null as bigint) as n_open_stages,
    cast(null as decimal(9, 6)) as probability,
    cast(null as varchar) as forecast_category,
    cast(null as bigint) as rotten_days,
    cast(null as boolean) as is_current,
    cast(null as boolean) as is_first_version,
    cast(null as timestamptz) as valid_from,
    cast(null as timestamptz) as valid_to,
    cast(null as boolean) as is_deleted,
    cast(null as varchar) as source_system,
    cast(null as varchar) as connection,
    cast(null as varchar) as raw_version_id
where false
