-- Grain: one row per deal x pipeline it was in x stage of that pipeline (open stages in today's
-- order, then won): when the deal got there by each of the three counting rules, null = never.

with deals as (
    select
        deal_key,
        pipeline_key,
        source_channel,
        status,
        won_at,
        case when status = 'won' then amount_at_won_rc else amount_rc end as amount_at_close_rc
    from {{ ref('fct_deal') }}
    where not is_deleted and not is_excluded
),

stages as (
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

steps as (
    select
        stages.pipeline_key,
        stages.stage_key,
        stages.stage_name,
        stages.stage_order,
        false as is_won_step,
        stage_starts.first_valid_from
    from stages
    inner join stage_starts on stages.stage_key = stage_starts.stage_key
    union all
    select
        pipeline_key,
        concat(pipeline_key, ':won') as stage_key,
        'Won' as stage_name,
        max(stage_order) + 1 as stage_order,
        true as is_won_step,
        cast('1970-01-01 00:00:00+00' as {{ instant_type() }}) as first_valid_from
    from stages
    group by pipeline_key
),

stays as (
    select
        fct_deal_stage.deal_key,
        fct_deal_stage.pipeline_key,
        fct_deal_stage.entered_at,
        fct_deal_stage.amount_at_entry_rc,
        stages.stage_order,
        stages.stage_order is not null and not fct_deal_stage.is_pass_through as is_touch
    from {{ ref('fct_deal_stage') }} as fct_deal_stage
    left join stages on fct_deal_stage.stage_key = stages.stage_key
),

-- The base: entry into the pipeline by whatever stage, and first entry of stage 1.
entries as (
    select
        stays.deal_key,
        stays.pipeline_key,
        min(stays.entered_at) as entered_at,
        arg_min_null(stays.amount_at_entry_rc, stays.entered_at) as entry_value_rc,
        min(stays.entered_at) filter (where stays.is_touch and stays.stage_order = 1)
            as stage_1_at,
        arg_min_null(stays.amount_at_entry_rc, stays.entered_at)
        filter (where stays.is_touch and stays.stage_order = 1) as stage_1_value_rc
    from stays
    group by stays.deal_key, stays.pipeline_key
),

touches as (
    select
        deal_key,
        pipeline_key,
        stage_order,
        min(entered_at) as touched_at
    from stays
    where is_touch
    group by deal_key, pipeline_key, stage_order
),

grid as (
    select
        entries.deal_key,
        entries.pipeline_key,
        steps.stage_key,
        steps.stage_name,
        steps.stage_order,
        steps.is_won_step,
        steps.first_valid_from,
        deals.source_channel,
        deals.amount_at_close_rc,
        entries.entered_at,
        entries.entry_value_rc,
        entries.stage_1_at,
        entries.stage_1_value_rc,
        -- A deal that won elsewhere after leaving this pipeline did not win here.
        case
            when steps.is_won_step
                then
                    case
                        when
                            deals.status = 'won' and deals.pipeline_key = entries.pipeline_key
                            then deals.won_at
                    end
            else touches.touched_at
        end as touched_at
    from entries
    inner join deals on entries.deal_key = deals.deal_key
    inner join steps on entries.pipeline_key = steps.pipeline_key
    left join touches
        on
            entries.deal_key = touches.deal_key
            and entries.pipeline_key = touches.pipeline_key
            and steps.stage_order = touches.stage_order
            and not steps.is_won_step
),

reached as (
    select
        *,
        min(touched_at) over (
            partition by deal_key, pipeline_key
            order by stage_order desc
            rows unbounded preceding
        ) as reached_at,
        case
            when touched_at is null then 0
            when stage_order = 1 then 1
            when
                touched_at >= lag(touched_at) over (
                    partition by deal_key, pipeline_key order by stage_order
                )
                then 1
            else 0
        end as is_in_order
    from grid
),

strict_paths as (
    select
        *,
        case
            when
                min(is_in_order) over (
                    partition by deal_key, pipeline_key
                    order by stage_order
                    rows unbounded preceding
                ) = 1 then touched_at
        end as strict_at
    from reached
),

final as (
    select
        deal_key,
        pipeline_key,
        stage_key,
        stage_name,
        stage_order,
        is_won_step,
        source_channel,
        amount_at_close_rc,
        entry_value_rc,
        stage_1_value_rc,
        first_valid_from,
        entered_at,
        stage_1_at,
        touched_at,
        reached_at,
        strict_at,
        lag(touched_at) over (partition by deal_key, pipeline_key order by stage_order)
            as previous_touched_at,
        lag(reached_at) over (partition by deal_key, pipeline_key order by stage_order)
            as previous_reached_at,
        lag(strict_at) over (partition by deal_key, pipeline_key order by stage_order)
            as previous_strict_at
    from strict_paths
)

select * from final
