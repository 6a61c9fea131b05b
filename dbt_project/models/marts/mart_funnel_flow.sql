-- Grain: one row per pipeline x fiscal period (month, quarter, year) x open stage, from the
-- stage's first entry to the period of the as-of date; quiet periods too.
--
-- A stay is worth in every column what the deal was worth when the stay began: what comes in
-- and what goes out are then one amount, and start + entries - exits = end to the cent.

{% set entries = {
    'entered_forward': ['in created', 'in forward'],
    'entered_created': ['in created'],
    'entered_backward': ['in backward'],
    'entered_reopened': ['in reopened', 'in restored'],
    'entered_other_pipeline': ['in pipeline_changed'],
} %}
{% set exits = {
    'exited_forward': ['out forward'],
    'exited_backward': ['out backward'],
    'exited_won': ['out won'],
    'exited_lost': ['out lost'],
    'exited_other': ['out pipeline_changed', 'out deleted', 'out merged'],
} %}
{% set names = ['open_at_start'] + entries | list + exits | list + ['open_at_end'] %}

with stays as not materialized (
    select *
    from {{ ref('fct_deal_stage') }}
    where
        stage_type not in ('won', 'lost')
        and pipeline_key is not null
        and entered_date <= {{ as_of_date() }}
),

-- Tests, duplicates and pipelines that are no revenue. Deleted and merged deals are in: they
-- came, and they left.
excluded as (
    select deal_key
    from {{ ref('fct_deal') }}
    where is_excluded
),

periods as (
    select
        period_key,
        grain,
        start_date,
        end_date
    from {{ ref('dim_fiscal_period') }}
    where grain in ('month', 'quarter', 'year') and start_date <= {{ as_of_date() }}
),

stages as (
    select
        stage_key,
        stage_name,
        stage_order
    from {{ ref('dim_stage') }}
    where is_current
),

-- Per day from here on: a stage has a thousand days and may have had a million stays.
moves as (
    select
        stays.pipeline_key,
        stays.stage_key,
        stays.entered_date as moved_date,
        concat('in ', stays.entry_kind) as move,
        count(*) as n,
        coalesce(sum(stays.amount_at_entry_rc), 0) as value_rc,
        count(*) filter (where stays.amount_at_entry_rc is null) as n_without_amount
    from stays
    anti join excluded on stays.survivor_deal_key = excluded.deal_key
    group by stays.pipeline_key, stays.stage_key, stays.entered_date, stays.entry_kind
    union all
    select
        stays.pipeline_key,
        stays.stage_key,
        stays.exited_date as moved_date,
        concat('out ', stays.exit_kind) as move,
        -count(*) as n,
        -coalesce(sum(stays.amount_at_entry_rc), 0) as value_rc,
        -count(*) filter (where stays.amount_at_entry_rc is null) as n_without_amount
    from stays
    anti join excluded on stays.survivor_deal_key = excluded.deal_key
    where stays.exited_date <= {{ as_of_date() }}
    group by stays.pipeline_key, stays.stage_key, stays.exited_date, stays.exit_kind
),

-- Start and end count every move, whatever its kind: a kind that no column knows breaks the
-- identity (check Q-08).
summed as (
    select
        moves.pipeline_key,
        moves.stage_key,
        periods.period_key,
        periods.grain,
        periods.start_date,
        periods.end_date,
        {% for unit, value in {'n': 'moves.n', 'rc': 'moves.value_rc'}.items() %}
            {% for name, kinds in (entries | items | list) + (exits | items | list) %}
                {{ '-' if name in exits }}coalesce(sum({{ value }}) filter (
                    where
                    moves.moved_date >= periods.start_date
                    and moves.move in ('{{ kinds | join("', '") }}')
                ), 0) as {{ name }}_{{ unit }},
            {% endfor %}
            coalesce(sum({{ value }}) filter (
                where moves.moved_date < periods.start_date
            ), 0) as open_at_start_{{ unit }},
            sum({{ value }}) as open_at_end_{{ unit }},
        {% endfor %}
        -sum(moves.n) filter (
            where moves.moved_date >= periods.start_date and starts_with(moves.move, 'out ')
        ) as n_exits,
        sum(moves.n_without_amount) as n_without_amount
    from moves
    inner join periods on moves.moved_date <= periods.end_date
    group by
        moves.pipeline_key,
        moves.stage_key,
        periods.period_key,
        periods.grain,
        periods.start_date,
        periods.end_date
),

final as (
    select
        concat_ws('|', summed.pipeline_key, summed.period_key, summed.stage_key)
            as funnel_flow_key,
        summed.pipeline_key,
        summed.period_key,
        summed.grain as period_grain,
        summed.stage_key,
        stages.stage_name,
        {% for name in names %}
            cast(summed.{{ name }}_rc as {{ money_type() }}) as {{ name }}_rc,
        {% endfor %}
        stages.stage_order,
        {% for name in names %}
            cast(summed.{{ name }}_n as bigint) as {{ name }}_n,
        {% endfor %}
        cast(summed.n_without_amount as bigint) as n_without_amount,
        {{ ratio('(summed.exited_forward_n + summed.exited_won_n)', 'summed.n_exits') }}
            as forward_rate,
        {{ ratio('summed.exited_lost_n', 'summed.n_exits') }} as loss_rate,
        summed.start_date as period_start_date,
        summed.end_date as period_end_date,
        {{ as_of_date() }} as as_of_date
    from summed
    left join stages on summed.stage_key = stages.stage_key
)

select * from final
