-- Grain: one row per pipeline x open stage x period of exit (a fiscal quarter, or all) x
-- segment x outcome group. Stays that last are censored; they belong to the period of the
-- as-of date and to all, and to the outcome group all only, for nobody knows how they end.

with stays as (
    select *
    from {{ ref('fct_deal_stage') }}
    where is_duration_usable and stage_type = 'open' and not is_deleted
),

deals as (
    select
        deal_key,
        status,
        amount_rc,
        coalesce(source_channel, 'unknown') as source_channel
    from {{ ref('fct_deal') }}
    where not is_deleted and not is_excluded
),

dates as (
    select
        date,
        quarter_period_key
    from {{ ref('dim_date') }}
),

timed as (
    select
        stays.pipeline_key,
        stays.stage_key,
        dates.quarter_period_key as period_key,
        deals.source_channel,
        deals.status,
        stays.is_censored,
        stays.is_current and deals.status = 'open' as is_open_stay,
        stays.exit_kind = 'backward' as is_backward,
        stays.days_in_stay,
        deals.amount_rc
    from stays
    inner join deals on stays.deal_key = deals.deal_key
    inner join dates
        on
            case when stays.is_censored then {{ as_of_date() }} else stays.exited_date end
            = dates.date
),

-- Stays of one length count as one row from here on.
lengths as (
    select
        pipeline_key,
        stage_key,
        period_key,
        source_channel,
        status,
        days_in_stay,
        count(*) as n,
        count(*) filter (where not is_censored) as n_exits,
        count(*) filter (where not is_censored and is_backward) as n_backward
    from timed
    group by pipeline_key, stage_key, period_key, source_channel, status, days_in_stay
),

-- Each stay in its outcome group and in all; how a lasting one ends nobody knows.
grouped_lengths as (
    select
        *,
        'all' as outcome_group
    from lengths
    union all
    select
        pipeline_key,
        stage_key,
        period_key,
        source_channel,
        status,
        days_in_stay,
        n_exits as n,
        n_exits,
        n_backward,
        status as outcome_group
    from lengths
    where status in ('won', 'lost') and n_exits > 0
),

durations as (
    select
        pipeline_key,
        stage_key,
        outcome_group,
        case when grouping(period_key) = 1 then 'all' else period_key end as period_key,
        case when grouping(source_channel) = 1 then 'all' else 'source_channel' end
            as segment_type,
        case when grouping(source_channel) = 1 then 'all' else source_channel end as segment,
        days_in_stay,
        sum(n) as n,
        sum(n_exits) as n_exits,
        sum(n_backward) as n_backward
    from grouped_lengths
    group by
        grouping sets (
            (pipeline_key, stage_key, outcome_group, days_in_stay),
            (pipeline_key, stage_key, outcome_group, period_key, days_in_stay),
            (pipeline_key, stage_key, outcome_group, source_channel, days_in_stay)
        )
),

-- Kaplan-Meier: one step per distinct duration at which somebody left.
at_risk as (
    select
        *,
        sum(n) over (
            partition by
                pipeline_key, stage_key, outcome_group, period_key, segment_type, segment
            order by days_in_stay
            rows between current row and unbounded following
        ) as n_at_risk,
        sum(n_exits) over (
            partition by
                pipeline_key, stage_key, outcome_group, period_key, segment_type, segment
            order by days_in_stay
            rows unbounded preceding
        ) as n_left,
        sum(n_exits) over (
            partition by
                pipeline_key, stage_key, outcome_group, period_key, segment_type, segment
        ) as n_completed
    from durations
),

survival as (
    select
        *,
        {{ product_over('1.0 - cast(n_exits as double) / cast(n_at_risk as double)', '
            partition by
                pipeline_key, stage_key, outcome_group, period_key, segment_type, segment
            order by days_in_stay
            rows unbounded preceding
        ') }} as share_left
    from at_risk
),

completed as (
    select
        pipeline_key,
        stage_key,
        outcome_group,
        period_key,
        segment_type,
        segment,
        cast(sum(n) as bigint) as n_stays,
        cast(sum(n) - sum(n_exits) as bigint) as n_censored,
        -- The percentile between the two nearest of the completed stays.
        [
            {{ percentile_of_counts('0.5') }},
            {{ percentile_of_counts('0.75') }},
            {{ percentile_of_counts('0.9') }}
        ] as quantiles,
        -- In whole hundredths, half rounded up: a quotient of doubles may lie a bit below it.
        (2 * sum(cast(days_in_stay * 100 as bigint) * n_exits) + sum(n_exits))
        // nullif(2 * sum(n_exits), 0) as mean_hundredths,
        sum(n_backward) as n_backward,
        sum(n_exits) as n_completed,
        -- A product of fractions such as 3/4 x 2/3 misses one half by its last bit.
        min(days_in_stay) filter (where share_left <= 0.5 + 1e-12) as km_median_days
    from survival
    group by pipeline_key, stage_key, outcome_group, period_key, segment_type, segment
),

open_stays as (
    select
        pipeline_key,
        stage_key,
        count(*) as n_open,
        median(cast(days_in_stay as double)) as median_open_age_days,
        sum(amount_rc) as open_rc,
        count(amount_rc) as n_open_with_amount
    from timed
    where is_open_stay
    group by pipeline_key, stage_key
),

won_stays as (
    select
        pipeline_key,
        stage_key,
        quantiles[1] as median_won_days
    from completed
    where outcome_group = 'won' and period_key = 'all' and segment_type = 'all'
),

locked as (
    select
        timed.pipeline_key,
        timed.stage_key,
        sum(timed.amount_rc) as capital_locked_rc
    from timed
    inner join completed
        on
            timed.pipeline_key = completed.pipeline_key
            and timed.stage_key = completed.stage_key
            and completed.outcome_group = 'all'
            and completed.period_key = 'all'
            and completed.segment_type = 'all'
    where timed.is_open_stay and timed.days_in_stay > completed.quantiles[2]
    group by timed.pipeline_key, timed.stage_key
),

bottlenecks as (
    select
        open_stays.pipeline_key,
        open_stays.stage_key,
        open_stays.n_open,
        open_stays.median_open_age_days,
        open_stays.open_rc,
        coalesce(locked.capital_locked_rc, 0) as capital_locked_rc,
        open_stays.n_open
        * greatest(0, open_stays.median_open_age_days - won_stays.median_won_days)
        * {{ ratio('open_stays.open_rc', 'open_stays.n_open_with_amount') }} as bottleneck_score
    from open_stays
    left join won_stays
        on
            open_stays.pipeline_key = won_stays.pipeline_key
            and open_stays.stage_key = won_stays.stage_key
    left join locked
        on
            open_stays.pipeline_key = locked.pipeline_key
            and open_stays.stage_key = locked.stage_key
),

ranked as (
    select
        *,
        case
            when bottleneck_score is not null
                then rank() over (
                    partition by pipeline_key order by bottleneck_score desc nulls last
                )
        end as bottleneck_rank
    from bottlenecks
),

stages as (
    select * from {{ ref('dim_stage') }}
    where is_current
),

final as (
    select
        concat_ws(
            '|',
            completed.pipeline_key,
            completed.stage_key,
            completed.period_key,
            completed.segment_type,
            completed.segment,
            completed.outcome_group
        ) as stage_velocity_key,
        completed.pipeline_key,
        completed.stage_key,
        stages.stage_name,
        completed.period_key,
        completed.segment_type,
        completed.segment,
        completed.outcome_group,
        cast(ranked.open_rc as {{ money_type() }}) as open_rc,
        cast(ranked.capital_locked_rc as {{ money_type() }}) as capital_locked_rc,
        stages.stage_order,
        completed.n_stays,
        completed.n_censored,
        cast(completed.quantiles[1] as decimal(9, 2)) as median_days,
        cast(completed.quantiles[2] as decimal(9, 2)) as p75_days,
        cast(completed.quantiles[3] as decimal(9, 2)) as p90_days,
        completed.km_median_days,
        cast(cast(completed.mean_hundredths as decimal(12, 0)) * 0.01 as decimal(9, 2)) as mean_days,
        {{ ratio('completed.n_backward', 'completed.n_completed') }} as share_backward,
        ranked.n_open,
        cast(ranked.median_open_age_days as decimal(9, 2)) as median_open_age_days,
        cast(ranked.bottleneck_score as double) as bottleneck_score,
        cast(ranked.bottleneck_rank as bigint) as bottleneck_rank,
        {{ as_of_date() }} as as_of_date
    from completed
    left join stages on completed.stage_key = stages.stage_key
    -- What is locked is a fact of today, whatever period or segment is looked at.
    left join ranked
        on
            completed.pipeline_key = ranked.pipeline_key
            and completed.stage_key = ranked.stage_key
            and completed.outcome_group = 'all'
            and completed.period_key = 'all'
            and completed.segment_type = 'all'
)

select * from final
