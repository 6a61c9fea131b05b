-- Grain: one row per segment (all, pipeline, source channel) x fiscal period (month, quarter,
-- year) up to that of the as-of date: what the open deals of the period's end bring in a day, if
-- they are won as often, as large and as fast as those that were decided in the period.

with deals as not materialized (
    select
        deal_key,
        pipeline_key,
        coalesce(source_channel, 'unknown') as source_channel,
        status,
        amount_at_won_rc,
        closed_date,
        created_at,
        won_at,
        {{ company_date('qualified_at') }} as qualified_date
    from {{ ref('fct_deal') }}
    where not is_deleted and not is_excluded
),

stays as not materialized (
    select
        deal_key,
        pipeline_key,
        stage_type,
        entered_date,
        exited_date,
        entered_at
    from {{ ref('fct_deal_stage') }}
),

-- Where nobody said which stage is the first qualified one, every open deal is qualified.
unqualifying as (
    select pipeline_key
    from {{ ref('dim_pipeline') }}
    where is_current and first_qualified_stage_key is null
),

periods as (
    select
        period_key,
        grain,
        start_date,
        end_date,
        least(end_date, {{ as_of_date() }}) as counted_date
    from {{ ref('dim_fiscal_period') }}
    where grain in ('month', 'quarter', 'year') and start_date <= {{ as_of_date() }}
),

dates as (
    select
        date,
        unnest([month_period_key, quarter_period_key, year_period_key]) as period_key
    from {{ ref('dim_date') }}
),

win_rates as (
    select
        period_key,
        dimension,
        member,
        won_n,
        lost_n,
        win_rate_count
    from {{ ref('mart_win_rate') }}
    where dimension in ('all', 'pipeline', 'source_channel')
),

open_spans as (
    select
        stays.pipeline_key,
        deals.source_channel,
        stays.exited_date,
        case
            when unqualifying.pipeline_key is not null then stays.entered_date
            else greatest(stays.entered_date, deals.qualified_date)
        end as qualified_from_date
    from stays
    inner join deals on stays.deal_key = deals.deal_key
    left join unqualifying on stays.pipeline_key = unqualifying.pipeline_key
    where
        stays.stage_type not in ('won', 'lost')
        and (unqualifying.pipeline_key is not null or deals.qualified_date is not null)
),

-- Who came and who left, per day and segment; their running sum is who is there.
steps as (
    select
        moved_date,
        {{ velocity_segment('dimension') }} as dimension,
        {{ velocity_segment('member') }} as member,
        sum(n) as n
    from (
        select
            pipeline_key,
            source_channel,
            qualified_from_date as moved_date,
            1 as n
        from open_spans
        where exited_date is null or exited_date >= qualified_from_date
        union all
        select
            pipeline_key,
            source_channel,
            exited_date as moved_date,
            -1 as n
        from open_spans
        where exited_date >= qualified_from_date
    ) as moves
    group by
        grouping sets (
            (moved_date),
            (moved_date, pipeline_key),
            (moved_date, source_channel)
        )
),

opened as (
    select
        periods.period_key,
        steps.dimension,
        steps.member,
        sum(steps.n) as n_open_qualified
    from steps
    inner join periods on steps.moved_date <= periods.counted_date
    group by periods.period_key, steps.dimension, steps.member
),

entries as (
    select
        deal_key,
        pipeline_key,
        min(entered_at) as entered_at
    from stays
    group by deal_key, pipeline_key
),

wins as (
    select
        dates.period_key,
        deals.pipeline_key,
        deals.source_channel,
        deals.amount_at_won_rc,
        greatest(
            {{ seconds_between('coalesce(entries.entered_at, deals.created_at)', 'deals.won_at') }},
            0
        ) / 86400.0 as cycle_days
    from deals
    inner join dates on deals.closed_date = dates.date
    left join entries
        on deals.deal_key = entries.deal_key and deals.pipeline_key = entries.pipeline_key
    where deals.status = 'won'
),

won as (
    select
        period_key,
        {{ velocity_segment('dimension') }} as dimension,
        {{ velocity_segment('member') }} as member,
        sum(amount_at_won_rc) as won_rc,
        count(amount_at_won_rc) as n_won_with_amount,
        median(cycle_days) as median_cycle_days
    from wins
    group by
        grouping sets (
            (period_key),
            (period_key, pipeline_key),
            (period_key, source_channel)
        )
),

keys as (
    select
        period_key,
        dimension,
        member
    from opened
    union
    select
        period_key,
        dimension,
        member
    from win_rates
),

measured as (
    select
        keys.period_key,
        keys.dimension,
        keys.member,
        periods.grain,
        periods.start_date,
        periods.end_date,
        coalesce(opened.n_open_qualified, 0) as n_open_qualified,
        coalesce(win_rates.won_n, 0) as n_won,
        coalesce(win_rates.lost_n, 0) as n_lost,
        win_rates.win_rate_count as win_rate,
        cast(won.median_cycle_days as decimal(9, 2)) as median_cycle_days,
        {{ round_money(
            decimal_ratio('won.won_rc', 'won.n_won_with_amount', 4, 9),
            "'" ~ var('reporting_currency') ~ "'"
        ) }} as avg_won_rc,
        -- From the sum and not from the rounded average; a cycle of hours counts as a day.
        coalesce(opened.n_open_qualified, 0)
        * {{ ratio('won.won_rc', 'won.n_won_with_amount') }}
        * win_rates.win_rate_count
        / greatest(won.median_cycle_days, 1) as rc_per_day
    from keys
    inner join periods on keys.period_key = periods.period_key
    left join opened
        on
            keys.period_key = opened.period_key
            and keys.dimension = opened.dimension
            and keys.member = opened.member
    left join win_rates
        on
            keys.period_key = win_rates.period_key
            and keys.dimension = win_rates.dimension
            and keys.member = win_rates.member
    left join won
        on
            keys.period_key = won.period_key
            and keys.dimension = won.dimension
            and keys.member = won.member
),

final as (
    select
        concat_ws('|', period_key, dimension, member) as sales_velocity_key,
        period_key,
        grain as period_grain,
        dimension as segment_type,
        member as segment,
        avg_won_rc,
        {{ round_money(
            'cast(rc_per_day as decimal(38, 9))', "'" ~ var('reporting_currency') ~ "'"
        ) }} as velocity_rc_per_day,
        cast(n_open_qualified as bigint) as n_open_qualified,
        cast(n_won as bigint) as n_won,
        cast(n_lost as bigint) as n_lost,
        median_cycle_days,
        win_rate,
        start_date as period_start_date,
        end_date as period_end_date,
        {{ as_of_date() }} as as_of_date
    from measured
)

select * from final
