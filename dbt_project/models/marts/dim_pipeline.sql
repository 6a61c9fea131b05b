-- Grain: one row per pipeline and version.

{% set described = row_of([
    'pipeline_name', 'pipeline_order', 'is_deleted', 'n_open_stages',
]) %}

with stages as (
    select * from {{ ref('int_stages_unioned') }}
),

settings as (
    select * from {{ ref('stg_config__pipelines') }}
),

names as (
    select
        pipeline_key,
        max(pipeline_name) as pipeline_name
    from {{ ref('stg_config__stages') }}
    group by pipeline_key
),

seen as (
    select
        concat(connection, ':', pipeline_id) as pipeline_key,
        connection,
        source_system,
        pipeline_id,
        seen_at,
        max(pipeline_name) as pipeline_name,
        max(pipeline_order) as pipeline_order,
        bool_or(is_pipeline_deleted) as is_deleted,
        max(raw_version_id) as raw_version_id
    from stages
    group by connection, source_system, pipeline_id, seen_at
),

open_stages as (
    select
        pipeline_key,
        stage_key,
        valid_from,
        valid_to
    from {{ ref('int_stage_versions') }}
    where stage_type = 'open' and not is_deleted
),

described as (
    select
        seen.* exclude (pipeline_name),
        coalesce(names.pipeline_name, seen.pipeline_name, seen.pipeline_id) as pipeline_name,
        count(distinct open_stages.stage_key) as n_open_stages
    from seen
    left join names
        on seen.pipeline_key = names.pipeline_key
    left join open_stages
        on
            seen.pipeline_key = open_stages.pipeline_key
            and seen.seen_at >= open_stages.valid_from
            and (seen.seen_at < open_stages.valid_to or open_stages.valid_to is null)
    group by all
),

compared as (
    select
        *,
        {{ described }} is not distinct from lag({{ described }})
            over (partition by pipeline_key order by seen_at) as is_unchanged,
        row_number() over (partition by pipeline_key order by seen_at) = 1 as is_first_version
    from described
),

versions as (
    select
        *,
        case
            when is_first_version then cast('1970-01-01 00:00:00+00' as {{ instant_type() }})
            else seen_at
        end as valid_from
    from compared
    where is_first_version or not is_unchanged
),

final as (
    select
        concat(versions.pipeline_key, ':', epoch_ms(versions.valid_from)) as pipeline_version_key,
        versions.pipeline_key,
        versions.pipeline_id,
        versions.pipeline_name,
        versions.pipeline_order,
        coalesce(settings.measure, 'bookings') as measure,
        coalesce(settings.is_excluded, false) as is_excluded,
        settings.first_qualified_stage_key,
        cast(versions.n_open_stages as bigint) as n_open_stages,
        lead(versions.valid_from) over (
            partition by versions.pipeline_key order by versions.valid_from
        ) is null as is_current,
        versions.valid_from,
        lead(versions.valid_from) over (
            partition by versions.pipeline_key order by versions.valid_from
        ) as valid_to,
        versions.is_deleted,
        versions.source_system,
        versions.connection,
        versions.raw_version_id
    from versions
    left join settings
        on versions.pipeline_key = settings.pipeline_key
)

select * from final
