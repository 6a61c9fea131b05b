-- Grain: one row per pipeline x cohort period (fiscal quarter of the base entry) x basis x
-- segment x method x stage. Deals whose window has not passed are kept out and counted apart.
--
-- A median holds every value of its group: a part is of groups and not of deals, and seconds are
-- held in four bytes.

{{ config(in_parts_of='int_funnel_positions', in_parts_rows=0.05) }}

{% set bases = {
    'pipeline_entry': ('entered_at', 'entered_date', 'entry_value_rc'),
    'stage_1': ('stage_1_at', 'stage_1_date', 'stage_1_value_rc'),
} %}
{% set methods = ['touched', 'reached', 'strict'] %}

-- Read once by each basis and never held: it has a row per deal and stage.
with positions as not materialized (
    select * from {{ ref('int_funnel_positions') }}
),

steps as (
    select * from {{ ref('int_funnel_steps') }}
),

windows as (
    select
        pipeline_key,
        window_days,
        {{ plus_days(as_of_at(), '-window_days') }} as mature_before
    from {{ ref('int_won_cycles') }}
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

-- Before it is counted by quarter, everything is a number: seconds from the base.
based as (
    {% for basis, (base_at, base_date, value) in bases.items() %}
        select
            {% for method in methods %}
                {{ seconds_between('positions.' ~ base_at, 'positions.' ~ method ~ '_at') }}
                    as {{ method }}_seconds,
                positions.previous_{{ method }}_at
                <= windows.mature_before as {{ method }}_is_ready,
        {{ seconds_between(
            'positions.previous_' ~ method ~ '_at', 'positions.' ~ method ~ '_at'
        ) }} <= windows.window_days * 86400 as {{ method }}_is_timely,
            {% endfor %}
            '{{ basis }}' as basis,
            positions.pipeline_key,
            positions.stage_order,
            positions.source_channel,
            dates.quarter_period_key as cohort_period_key,
            positions.{{ value }} as base_value_rc,
            positions.amount_at_close_rc,
            windows.window_days * 86400 as window_seconds,
            {{ seconds_between('positions.' ~ base_at, as_of_at()) }}
            >= windows.window_days * 86400 as is_mature
        from positions
        inner join dates on positions.{{ base_date }} = dates.date
        inner join windows on positions.pipeline_key = windows.pipeline_key
        where
            positions.{{ base_at }} is not null
            and {{ is_in_part(
                'positions.pipeline_key, dates.quarter_period_key, positions.stage_order'
            ) }}
                {{ 'union all' if not loop.last }}
    {% endfor %}
),

counted as (
    select
        {% for method in methods %}
            count({{ method }}_seconds) as {{ method }}_n_to_date,
            count(*) filter (where is_mature and {{ method }}_seconds <= window_seconds)
                as {{ method }}_n_reached,
            sum(base_value_rc) filter (where is_mature and {{ method }}_seconds <= window_seconds)
                as {{ method }}_value_reached_rc,
            sum(amount_at_close_rc) filter (
                where is_mature and {{ method }}_seconds <= window_seconds
            ) as {{ method }}_value_reached_at_close_rc,
            count(*) filter (where {{ method }}_is_ready) as {{ method }}_n_previous,
            count(*) filter (where {{ method }}_is_ready and {{ method }}_is_timely)
                as {{ method }}_n_from_previous,
            median({{ try_cast_to(method ~ '_seconds', 'integer') }}) filter (
                where is_mature and {{ method }}_seconds <= window_seconds
            ) / 86400.0 as {{ method }}_median_days,
        {% endfor %}
        pipeline_key,
        cohort_period_key,
        basis,
        stage_order,
        case when grouping(source_channel) = 1 then 'all' else 'source_channel' end
            as segment_type,
        case
            when grouping(source_channel) = 1 then 'all'
            else coalesce(source_channel, 'unknown')
        end as segment,
        count(*) as n_deals,
        count(*) filter (where is_mature) as n_in,
        count(*) filter (where not is_mature) as n_immature,
        count(*) filter (where is_mature and base_value_rc is null) as n_without_amount,
        sum(base_value_rc) filter (where is_mature) as value_in_rc
    from based
    group by
        grouping sets (
            (pipeline_key, cohort_period_key, basis, stage_order),
            (pipeline_key, cohort_period_key, basis, stage_order, source_channel)
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
            counted.stage_order,
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
        steps.stage_key,
        steps.stage_name,
        steps.is_won_step,
        windows.window_days,
        steps.is_won_step or steps.first_date <= periods.end_date as has_stage
    from long
    inner join steps
        on long.pipeline_key = steps.pipeline_key and long.stage_order = steps.stage_order
    inner join windows on long.pipeline_key = windows.pipeline_key
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
