-- Grain: one row per pipeline x cohort period (fiscal quarter of the base entry) x basis x
-- segment x method x stage. Deals whose window has not passed are kept out and counted apart.

{% set bases = {
    'pipeline_entry': ('entered_at', 'entry_value_rc'),
    'stage_1': ('stage_1_at', 'stage_1_value_rc'),
} %}
{% set methods = ['touched', 'reached', 'strict'] %}

with positions as (
    select * from {{ ref('int_funnel_positions') }}
),

windows as (
    select * from {{ ref('int_won_cycles') }}
),

dates as (
    select
        date,
        quarter_period_key
    from {{ ref('dim_date') }}
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
),

based as (
    {% for basis, (base_at, value) in bases.items() %}
        select
            positions.*,
            '{{ basis }}' as basis,
            positions.{{ base_at }} as base_at,
            positions.{{ value }} as base_value_rc,
            windows.window_days,
            positions.{{ base_at }} + to_days(cast(windows.window_days as integer)) as window_end,
            positions.{{ base_at }} + to_days(cast(windows.window_days as integer))
            <= {{ as_of_at() }} as is_mature
        from positions
        inner join windows on positions.pipeline_key = windows.pipeline_key
        where positions.{{ base_at }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

dated as (
    select
        based.*,
        dates.quarter_period_key as cohort_period_key
    from based
    inner join dates on {{ company_date('based.base_at') }} = dates.date
),

counted as (
    select
        pipeline_key,
        cohort_period_key,
        basis,
        stage_key,
        stage_name,
        stage_order,
        is_won_step,
        window_days,
        first_valid_from,
        case when grouping(source_channel) = 1 then 'all' else 'source_channel' end
            as segment_type,
        case
            when grouping(source_channel) = 1 then 'all' else coalesce(source_channel, 'unknown')
        end
            as segment,
        count(*) as n_deals,
        count(*) filter (where is_mature) as n_in,
        count(*) filter (where not is_mature) as n_immature,
        count(*) filter (where is_mature and base_value_rc is null) as n_without_amount,
        sum(base_value_rc) filter (where is_mature) as value_in_rc
        {% for method in methods %}
            ,
            count({{ method }}_at) as {{ method }}_n_to_date,
            count(*) filter (where is_mature and {{ method }}_at <= window_end)
                as {{ method }}_n_reached,
            sum(base_value_rc) filter (where is_mature and {{ method }}_at <= window_end)
                as {{ method }}_value_reached_rc,
            sum(amount_at_close_rc) filter (where is_mature and {{ method }}_at <= window_end)
                as {{ method }}_value_reached_at_close_rc,
            count(*) filter (
                where previous_{{ method }}_at + to_days(cast(window_days as integer))
                <= {{ as_of_at() }}
            ) as {{ method }}_n_previous,
            count(*) filter (
                where previous_{{ method }}_at + to_days(cast(window_days as integer))
                <= {{ as_of_at() }}
                and {{ method }}_at <= previous_{{ method }}_at
                + to_days(cast(window_days as integer))
            ) as {{ method }}_n_from_previous,
            median(
                {{ seconds_between('base_at', method ~ '_at') }} / 86400.0
            ) filter (where is_mature and {{ method }}_at <= window_end) as {{ method }}_median_days

        {% endfor %}
    from dated
    group by
        grouping sets (
            (
                pipeline_key, cohort_period_key, basis, stage_key, stage_name, stage_order,
                is_won_step, window_days, first_valid_from
            ),
            (
                pipeline_key, cohort_period_key, basis, stage_key, stage_name, stage_order,
                is_won_step, window_days, first_valid_from, source_channel
            )
        )
),

long as (
    {% for method in methods %}
        select
            counted.pipeline_key,
            counted.cohort_period_key,
            counted.basis,
            counted.segment_type,
            counted.segment,
            counted.stage_key,
            counted.stage_name,
            counted.stage_order,
            counted.is_won_step,
            counted.window_days,
            counted.first_valid_from,
            '{{ method }}' as method,
            counted.n_deals,
            counted.n_in,
            counted.n_immature,
            counted.n_without_amount,
            counted.value_in_rc,
            counted.{{ method }}_n_to_date as n_reached_to_date,
            counted.{{ method }}_n_reached as n_reached,
            counted.{{ method }}_value_reached_rc as value_reached_rc,
            counted.{{ method }}_value_reached_at_close_rc as value_reached_at_close_rc,
            counted.{{ method }}_n_previous as n_previous,
            counted.{{ method }}_n_from_previous as n_from_previous,
            counted.{{ method }}_median_days as median_days
        from counted
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- A stage that was added after the cohort's period had ended says nothing about that cohort.
judged as (
    select
        long.*,
        long.is_won_step
        or {{ company_date('long.first_valid_from') }} <= periods.end_date as has_stage
    from long
    inner join periods on long.cohort_period_key = periods.period_key
),

final as (
    select
        concat_ws(
            '|', pipeline_key, cohort_period_key, basis, segment_type, segment, method, stage_key
        ) as funnel_cohort_key,
        pipeline_key,
        cohort_period_key,
        basis,
        segment_type,
        segment,
        method,
        stage_key,
        stage_name,
        cast(coalesce(value_in_rc, 0) as {{ money_type() }}) as value_in_rc,
        case
            when has_stage then cast(coalesce(value_reached_rc, 0) as {{ money_type() }})
        end as value_reached_rc,
        case
            when has_stage then cast(coalesce(value_reached_at_close_rc, 0) as {{ money_type() }})
        end as value_reached_at_close_rc,
        cast(stage_order as bigint) as stage_order,
        n_deals,
        n_in,
        case when has_stage then n_reached end as n_reached,
        case when has_stage then n_reached_to_date end as n_reached_to_date,
        n_immature,
        n_without_amount,
        window_days,
        case
            when not has_stage then null
            -- The base itself: of those who are in, how many are at the first stage.
            when stage_order = 1 then {{ ratio('n_reached', 'n_in') }}
            else {{ ratio('n_from_previous', 'n_previous') }}
        end as conversion_from_previous,
        case when has_stage then {{ ratio('n_reached', 'n_in') }} end as conversion_from_base,
        case when has_stage then cast(median_days as decimal(9, 2)) end as median_days_from_base,
        is_won_step,
        {{ as_of_date() }} as as_of_date
    from judged
)

select * from final
