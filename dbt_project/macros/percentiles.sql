{#- The percentile of completed stays, between the two nearest, from rows of distinct lengths
    (mart_stage_velocity): n_left = stays that ended by this length, n_completed = all.
    In decimals: half a hundredth of a day is rounded up, not by the last bit of a double. -#}
{% macro percentile_of_counts(share) -%}
    {%- set place = 'cast(' ~ share ~ ' as decimal(4, 2)) * cast(n_completed - 1 as decimal(14, 0))'
    -%}
    {%- set below = 'min(days_in_stay) filter (where n_left > floor(' ~ place ~ '))' -%}
    {%- set above = 'min(days_in_stay) filter (where n_left > ceil(' ~ place ~ '))' -%}
    {{ below }} + cast({{ above }} - {{ below }} as decimal(12, 2))
    * cast(max({{ place }} - floor({{ place }})) as decimal(4, 2))
{%- endmacro %}
