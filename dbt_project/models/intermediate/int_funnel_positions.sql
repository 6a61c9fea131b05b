-- Grain: one row per deal x pipeline it was in x step of that pipeline (int_funnel_steps): when
-- the deal got there by each of the three counting rules, null = never.
--
-- The windows run over rows of numbers only: a deal's entry into a pipeline has a number of its
-- own here, which means nothing outside.
--
-- depends_on: {{ ref('int_pipeline_inputs') }}

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook='{{ forget_changed_deals("int_pipeline_inputs") }}',
    in_parts_of='int_pipeline_inputs',
    in_parts_where='is_changed',
    in_parts_rows=2,
) }}

with deals as (
    select
        deal_key,
        pipeline_key,
        source_channel,
        status,
        won_at,
        case when status = 'won' then amount_at_won_rc else amount_rc end as amount_at_close_rc
    from (
        select * from {{ ref('fct_deal') }}
        {{ only_changed_deals('int_pipeline_inputs') }}
    ) as changed
    where not is_deleted and not is_excluded
),

steps as (
    select * from {{ ref('int_funnel_steps') }}
),

stays as (
    select
        fct_deal_stage.deal_key,
        fct_deal_stage.pipeline_key,
        fct_deal_stage.entered_at,
        fct_deal_stage.amount_at_entry_rc,
        steps.stage_order,
        steps.stage_order is not null and not fct_deal_stage.is_pass_through as is_touch
    from (
        select * from {{ ref('fct_deal_stage') }}
        {{ only_changed_deals('int_pipeline_inputs') }}
    ) as fct_deal_stage
    left join steps on fct_deal_stage.stage_key = steps.stage_key
),

-- The base: entry into the pipeline by whatever stage, and first entry of stage 1.
entries as (
    select
        stays.deal_key,
        stays.pipeline_key,
        min(stays.entered_at) as entered_at,
        {{ first_by('stays.amount_at_entry_rc', 'stays.entered_at') }} as entry_value_rc,
        min(stays.entered_at) filter (where stays.is_touch and stays.stage_order = 1)
            as stage_1_at,
        {{ first_by(
            'stays.amount_at_entry_rc', 'stays.entered_at', 'stays.is_touch and stays.stage_order = 1'
        ) }} as stage_1_value_rc
    from stays
    group by stays.deal_key, stays.pipeline_key
),

numbered as (
    select
        row_number() over () as entry_no,
        entries.deal_key,
        entries.pipeline_key,
        deals.source_channel,
        deals.amount_at_close_rc,
        entries.entered_at,
        {{ company_date('entries.entered_at') }} as entered_date,
        entries.entry_value_rc,
        entries.stage_1_at,
        {{ company_date('entries.stage_1_at') }} as stage_1_date,
        entries.stage_1_value_rc,
        -- A deal that won elsewhere after leaving this pipeline did not win here.
        case
            when deals.status = 'won' and deals.pipeline_key = entries.pipeline_key
                then deals.won_at
        end as won_at
    from entries
    inner join deals on entries.deal_key = deals.deal_key
),

touches as (
    select
        numbered.entry_no,
        stays.stage_order,
        min(stays.entered_at) as touched_at
    from stays
    inner join numbered
        on stays.deal_key = numbered.deal_key and stays.pipeline_key = numbered.pipeline_key
    where stays.is_touch
    group by numbered.entry_no, stays.stage_order
),

grid as (
    select
        numbered.entry_no,
        steps.stage_order,
        case when steps.is_won_step then numbered.won_at else touches.touched_at end
            as touched_at
    from numbered
    inner join steps on numbered.pipeline_key = steps.pipeline_key
    left join touches
        on numbered.entry_no = touches.entry_no and steps.stage_order = touches.stage_order
),

reached as (
    select
        entry_no,
        stage_order,
        touched_at,
        min(touched_at) over (
            partition by entry_no
            order by stage_order
            rows between current row and unbounded following
        ) as reached_at,
        lag(touched_at) over (partition by entry_no order by stage_order)
            as previous_touched_at
    from grid
),

strict_paths as (
    select
        *,
        -- The first stage has none before it.
        case
            when
                bool_and(
                    coalesce(
                        touched_at >= case
                            when stage_order = 1 then touched_at
                            else previous_touched_at
                        end,
                        false
                    )
                ) over (
                    partition by entry_no order by stage_order rows unbounded preceding
                )
                then touched_at
        end as strict_at,
        lag(reached_at) over (partition by entry_no order by stage_order)
            as previous_reached_at
    from reached
),

followed as (
    select
        *,
        lag(strict_at) over (partition by entry_no order by stage_order) as previous_strict_at
    from strict_paths
),

final as (
    select
        numbered.deal_key,
        numbered.pipeline_key,
        followed.stage_order,
        numbered.source_channel,
        numbered.amount_at_close_rc,
        numbered.entry_value_rc,
        numbered.stage_1_value_rc,
        numbered.entered_date,
        numbered.stage_1_date,
        numbered.entered_at,
        numbered.stage_1_at,
        followed.touched_at,
        followed.reached_at,
        followed.strict_at,
        followed.previous_touched_at,
        followed.previous_reached_at,
        followed.previous_strict_at
    from followed
    inner join numbered on followed.entry_no = numbered.entry_no
)

select * from final
