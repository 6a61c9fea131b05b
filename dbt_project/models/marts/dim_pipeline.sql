-- Grain: one row per pipeline and version.

select
    cast(null as varchar) as pipeline_version_key,
    cast(null as varchar) as pipeline_key,
    cast(null as varchar) as pipeline_id,
    cast(null as varchar) as pipeline_name,
    cast(null as bigint) as pipeline_order,
    cast(null as varchar) as measure,
    cast(null as boolean) as is_excluded,
    cast(null as varchar) as first_qualified_stage_key,
    cast(null as bigint) as n_open_stages,
    cast(null as boolean) as is_current,
    cast(null as timestamptz) as valid_from,
    cast(null as timestamptz) as valid_to,
    cast(null as boolean) as is_deleted,
    cast(null as varchar) as source_system,
    cast(null as varchar) as connection,
    cast(null as varchar) as raw_version_id
where false
