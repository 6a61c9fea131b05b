-- Grain: one row per stage and version, the settings' words before the vendor's.
--
-- The stages of a pipeline's first known version reach back to 1970: deals are older than
-- our first look. A stage added later begins when it was seen.

{% set described = row_of([
    'pipeline_name', 'stage_name', 'stage_type', 'stage_order', 'n_open_stages', 'probability',
    'forecast_category', 'rotten_days', 'is_deleted',
]) %}

with seen as (
    select * from {{ ref('int_stages_unioned') }}
),

settings as (
    select * from {{ ref('stg_config__stages') }}
),

described as (
    select
        concat(seen.connection, ':', seen.pipeline_id, ':', seen.stage_id) as stage_key,
        concat(seen.connection, ':', seen.pipeline_id) as pipeline_key,
        seen.connection,
        seen.source_system,
        seen.pipeline_id,
        coalesce(settings.pipeline_name, seen.pipeline_name, seen.pipeline_id)
            as pipeline_name,
        seen.pipeline_order,
        seen.is_pipeline_deleted,
        seen.stage_id,
        coalesce(settings.stage_name, seen.stage_name, seen.stage_id) as stage_name,
        coalesce(settings.stage_type, seen.stage_type, 'open') as stage_type,
        coalesce(settings.stage_order, seen.display_order) as sort_order,
        coalesce(settings.probability, seen.probability) as probability,
        coalesce(settings.forecast_category, seen.forecast_category) as forecast_category,
        coalesce(
            settings.rotten_days, seen.rotten_days, {{ var('rotten_days') }}
        ) as rotten_days,
        seen.is_deleted,
        seen.seen_at,
        seen.raw_version_id,
        min(seen.seen_at) over (
            partition by seen.connection, seen.pipeline_id
        ) as pipeline_seen_at
    from seen
    left join settings
        on concat(seen.connection, ':', seen.pipeline_id, ':', seen.stage_id) = settings.stage_key
),

counted as (
    select
        *,
        count(*) filter (where stage_type = 'open' and not is_deleted) over (
            partition by pipeline_key, seen_at
        ) as n_open_stages,
        row_number() over (
            partition by pipeline_key, seen_at, stage_type, is_deleted
            order by sort_order nulls last, stage_id
        ) as place
    from described
),

ordered as (
    select
        * exclude (place, sort_order),
        case
            when is_deleted then null
            when stage_type = 'open' then place
            when stage_type = 'won' then n_open_stages + 1
            when stage_type = 'lost' then n_open_stages + 2
        end as stage_order
    from counted
),

compared as (
    select
        *,
        {{ described }} is not distinct from lag({{ described }}) over (partition by stage_key order by seen_at) as is_unchanged,
        row_number() over (partition by stage_key order by seen_at) = 1 as is_first_version
    from ordered
),

versions as (
    select
        * exclude (is_unchanged),
        case
            when is_first_version and seen_at = pipeline_seen_at
                then cast('1970-01-01 00:00:00+00' as {{ instant_type() }})
            else seen_at
        end as valid_from
    from compared
    where is_first_version or not is_unchanged
),

final as (
    select
        *,
        lead(valid_from) over (partition by stage_key order by valid_from) as valid_to
    from versions
)

select * from final
