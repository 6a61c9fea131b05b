-- Grain: one row per stage: how long a deal may stay, and how long won deals still took.

with stages as (
    select
        stage_key,
        pipeline_key,
        stage_order,
        n_open_stages,
        rotten_days
    from {{ ref('dim_stage') }}
    where is_current
),

won as (
    select
        deal_key,
        won_at
    from {{ ref('fct_deal') }}
    where status = 'won' and not is_deleted and not is_excluded
),

won_stays as (
    select
        stays.stage_key,
        {{ seconds_between('stays.entered_at', 'stays.exited_at') }} / 86400.0 as stay_days,
        {{ seconds_between('stays.entered_at', 'won.won_at') }} / 86400.0 as remaining_days,
        stays.exited_at >= {{ plus_days(as_of_at(), -365) }} as is_recent
    from {{ ref('fct_deal_stage') }} as stays
    inner join won on stays.deal_key = won.deal_key
    where
        stays.stage_type = 'open'
        and stays.is_duration_usable
        and stays.exited_at is not null
        and stays.entered_at <= won.won_at
),

measured as (
    select
        stage_key,
        count(*) filter (where is_recent) as n_recent,
        quantile_cont(stay_days, 0.9) filter (where is_recent) as p90_stay_days,
        count(*) as n_won,
        quantile_cont(remaining_days, 0.1) as p10_remaining_days,
        quantile_cont(remaining_days, 0.9) as p90_remaining_days
    from won_stays
    group by stage_key
),

final as (
    select
        stages.stage_key,
        stages.pipeline_key,
        stages.stage_order,
        stages.n_open_stages,
        coalesce(stages.rotten_days, {{ var('rotten_days', 30) }}) as rotten_days,
        -- Twenty won stays of the last year are enough to know better than the default.
        case
            when measured.n_recent >= 20
                then greatest(
                    coalesce(stages.rotten_days, {{ var('rotten_days', 30) }}),
                    measured.p90_stay_days
                )
            else coalesce(stages.rotten_days, {{ var('rotten_days', 30) }})
        end as stage_limit_days,
        case when measured.n_won >= 20 then measured.p10_remaining_days end
            as p10_remaining_days,
        case when measured.n_won >= 20 then measured.p90_remaining_days end
            as p90_remaining_days
    from stages
    left join measured on stages.stage_key = measured.stage_key
)

select * from final
