{#- The percentile of completed stays, between the two nearest, from rows of distinct lengths
    (mart_stage_velocity): n_left = stays that ended by this length, n_completed = all. -#}
{% macro percentile_of_counts(share) -%}
    {%- set place = share ~ ' * (n_completed - 1)' -%}
    min(cast(days_in_stay as double)) filter (where n_left > floor({{ place }}))
    + (
        min(cast(days_in_stay as double)) filter (where n_left > ceil({{ place }}))
        - min(cast(days_in_stay as double)) filter (where n_left > floor({{ place }}))
    ) * max({{ place }} - floor({{ place }}))
{%- endmacro %}
