-- Grain: one row per basis, window and deal that counts in it at its start, at its end or (for
-- the slippage rate) when `opening_grace_days` are over: how the deal stood on each side.
--
-- depends_on: {{ ref('int_pipeline_inputs') }}

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook='{{ forget_changed_deals("int_pipeline_inputs") }}',
    in_parts_of='int_pipeline_inputs',
    in_parts_where='is_changed',
    in_parts_rows='n_versions',
) }}

{% set has_grace = var('opening_grace_days') | int > 0 %}
{% set sides = [('start', 'from_at', 'first_date - 1'), ('end', 'to_at', 'last_date')]
    + ([('due', 'due_at', 'due_rate_date')] if has_grace else []) %}

-- Held, of one part: read many times, it would be looked for in all versions.
with versions as materialized (
    select *
    from {{ ref('int_pipeline_versions') }}
    {{ only_changed_deals('int_pipeline_inputs') }}
),

windows as (
    select * from {{ ref('int_pipeline_windows') }}
),

rates as (
    {{ rates_by_basis() }}
),

counted as (
    {%- for grain in ['month', 'quarter'] %}
    select distinct
        versions.basis,
        versions.deal_key,
        windows.window_no
    from versions
    inner join windows on versions.{{ grain }}_period_key = windows.period_key
    where
        versions.from_at < windows.to_at
        and versions.to_at >= windows.from_at
        and (
            versions.from_at < windows.from_at
            or versions.to_at >= windows.to_at
            {%- if has_grace %}
            or (versions.from_at < windows.due_at and versions.to_at >= windows.due_at)
            {%- endif %}
        )
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

spanned as (
    select
        counted.*,
        windows.period_key,
        windows.close_from,
        windows.close_to,
        windows.window_type = 'period' and not windows.is_running as is_over,
        {%- for side, instant, rate_date in sides %}
        windows.{{ rate_date }} as {{ side }}_date,
        windows.{{ instant }} as {{ side }}_at{{ ',' if not loop.last }}
        {%- endfor %}
    from counted
    inner join windows on counted.window_no = windows.window_no
),

final as (
    select
        spanned.basis,
        spanned.window_no,
        spanned.deal_key,
        spanned.close_from,
        spanned.close_to,
        spanned.is_over,
        coalesce({% for side, _, _ in sides %}{{ side }}_side.measure{{ ', ' if not loop.last }}{% endfor %})
            as measure,
        {%- for side in ['start', 'end', 'due'] %}
        {%- set told_by = 'start' if side == 'due' and not has_grace else side %}
        {%- for column in ['owner_user_key', 'team_key', 'pipeline_key', 'source_channel'] %}
        {{ told_by }}_side.{{ column }} as {{ side }}_{{ column }},
        {%- endfor %}
        {{ pipeline_value(told_by ~ '_side.amount_amt', told_by ~ '_rates.rate_to_rc') }}
            as {{ side }}_value_rc,
        {%- for state in ['pipeline', 'booked'] %}
        coalesce(
            {{ told_by }}_side.is_{{ state }}
            and spanned.period_key in (
                {{ told_by }}_side.month_period_key, {{ told_by }}_side.quarter_period_key
            ),
            false
        ) as {{ side }}_is_{{ 'due' if state == 'pipeline' else 'booking' }},
        {%- endfor %}
        {%- endfor %}
        {%- for side in ['start', 'end'] %}
        {%- for column in [
            'status', 'currency_code', 'amount_amt', 'is_deleted', 'is_merged_away',
            'expected_close_date', 'closed_date', 'won_at', 'from_at',
        ] %}
        {{ side }}_side.{{ column }} as {{ side }}_{{ column }},
        {%- endfor %}
        {%- endfor %}
        -- What was there at the start, at the rate of the end.
        {{ pipeline_value('end_side.amount_amt', 'fx_rates.rate_to_rc') }} as end_at_start_rate_rc,
        end_side.won_rc,
        end_side.won_owner_user_key,
        end_side.won_team_key,
        end_side.won_pipeline_key,
        end_side.won_source_channel
    from spanned
    {%- for side, _, _ in sides %}
    left join versions as {{ side }}_side
        on
            spanned.basis = {{ side }}_side.basis
            and spanned.deal_key = {{ side }}_side.deal_key
            and spanned.{{ side }}_at > {{ side }}_side.from_at
            and spanned.{{ side }}_at <= {{ side }}_side.to_at
    left join rates as {{ side }}_rates
        on
            spanned.basis = {{ side }}_rates.basis
            and {{ side }}_side.currency_code = {{ side }}_rates.currency_code
            and coalesce({{ side }}_side.closed_date, spanned.{{ side }}_date)
            = {{ side }}_rates.rate_date
    {%- endfor %}
    left join rates as fx_rates
        on
            spanned.basis = fx_rates.basis
            and end_side.currency_code = fx_rates.currency_code
            and spanned.start_date = fx_rates.rate_date
)

select * from final
