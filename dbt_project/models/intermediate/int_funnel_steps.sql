-- Grain: one row per pipeline x step of its funnel: open stages in today's order, then won.

with stages as (
    select
        pipeline_key,
        stage_key,
        stage_name,
        stage_order
    from {{ ref('dim_stage') }}
    where is_current and not is_deleted and stage_type = 'open' and stage_order is not null
),

stage_starts as (
    select
        stage_key,
        min(valid_from) as first_valid_from
    from {{ ref('dim_stage') }}
    group by stage_key
),

final as (
    select
        stages.pipeline_key,
        stages.stage_key,
        stages.stage_name,
        stages.stage_order,
        false as is_won_step,
        {{ company_date('stage_starts.first_valid_from') }} as first_date
    from stages
    inner join stage_starts on stages.stage_key = stage_starts.stage_key
    union all
    select
        pipeline_key,
        concat(pipeline_key, ':won') as stage_key,
        'Won' as stage_name,
        max(stage_order) + 1 as stage_order,
        true as is_won_step,
        cast('1970-01-01' as date) as first_date
    from stages
    group by pipeline_key
)

select * from final
