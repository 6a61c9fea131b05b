-- Grain: one row per pipeline: how long a cohort is given to convert, in days. The var
-- cohort_window_days, else the 90th percentile of the won cycle (pipeline entry to win) of the
-- pipeline, else of all pipelines; 90 days while nothing was ever won.

with deals as (
    select * from {{ ref('fct_deal') }}
    where status = 'won' and not is_deleted and not is_excluded and won_at is not null
),

entries as (
    select
        deal_key,
        pipeline_key,
        min(entered_at) as entered_at
    from {{ ref('fct_deal_stage') }}
    group by deal_key, pipeline_key
),

cycles as (
    select
        deals.pipeline_key,
        greatest(
            {{ seconds_between('coalesce(entries.entered_at, deals.created_at)', 'deals.won_at') }},
            0
        ) / 86400.0 as cycle_days
    from deals
    left join entries
        on deals.deal_key = entries.deal_key and deals.pipeline_key = entries.pipeline_key
),

overall as (
    select
        quantile_cont(cycle_days, 0.9) as p90_cycle_days,
        quantile_cont(cycle_days, 0.5) as median_cycle_days
    from cycles
),

per_pipeline as (
    select
        pipeline_key,
        count(*) as n_won,
        quantile_cont(cycle_days, 0.9) as p90_cycle_days,
        quantile_cont(cycle_days, 0.5) as median_cycle_days
    from cycles
    group by pipeline_key
),

pipelines as (
    select distinct pipeline_key from {{ ref('dim_pipeline') }}
),

final as (
    select
        pipelines.pipeline_key,
        coalesce(per_pipeline.n_won, 0) as n_won,
        per_pipeline.p90_cycle_days,
        per_pipeline.median_cycle_days,
        cast(
            coalesce(
                {{ var('cohort_window_days', none) or 'null' }},
                ceil(per_pipeline.p90_cycle_days),
                ceil(overall.p90_cycle_days),
                90
            ) as bigint
        ) as window_days
    from pipelines
    cross join overall
    left join per_pipeline on pipelines.pipeline_key = per_pipeline.pipeline_key
)

select * from final
