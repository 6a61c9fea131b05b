{#- The part of a deal's amount that a row of int_deal_credits holds: a difference of two
    roundings along the running share, so that the parts of one deal add up to its amount. -#}
{% macro credited_part(amount) -%}
    {{ round_money('cast(' ~ amount ~ ' as decimal(38, 4)) * credits.share_to',
        "'" ~ var('reporting_currency') ~ "'") }}
    - {{ round_money('cast(' ~ amount ~ ' as decimal(38, 4)) * credits.share_from',
        "'" ~ var('reporting_currency') ~ "'") }}
{%- endmacro %}

{#- The scopes of an event that a person is credited with at an instant, as rows joined by the
    caller: see int_user_scopes. -#}
{% macro scope_at(scopes, user_key, instant) -%}
    {{ scopes }}.user_key = {{ user_key }}
    and {{ instant }} >= {{ scopes }}.valid_from
    and {{ instant }} < {{ scopes }}.valid_to
{%- endmacro %}
