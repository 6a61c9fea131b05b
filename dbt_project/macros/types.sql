{#- The types of marts.md, spelt once. -#}

{% macro instant_type() -%}
    {{ return(adapter.dispatch('instant_type', 'pipeledger')()) }}
{%- endmacro %}
{% macro default__instant_type() -%}
    timestamptz
{%- endmacro %}
{% macro spark__instant_type() -%}
    timestamp
{%- endmacro %}

{% macro money_type() -%}
    decimal(18, 4)
{%- endmacro %}

{#- Text to a number, date or instant; null where it is none. Each use on a landed field is
    paired with the test cast_kept_value, because the cast itself is silent. -#}
{% macro try_cast_to(expression, type) -%}
    {{ return(adapter.dispatch('try_cast_to', 'pipeledger')(expression, type)) }}
{%- endmacro %}
{% macro default__try_cast_to(expression, type) -%}
    try_cast({{ expression }} as {{ type }})
{%- endmacro %}
{% macro spark__try_cast_to(expression, type) -%}
    try_cast({{ expression }} as {{ type }})
{%- endmacro %}

{#- Money in major units from text: exact, then rounded to the warehouse's four places. -#}
{% macro money_from_text(expression) -%}
    cast({{ try_cast_to(expression, 'decimal(24, 4)') }} as {{ money_type() }})
{%- endmacro %}
