{#- A moment as Salesforce writes it: an offset without a colon. -#}
{% macro salesforce_instant(expression) -%}
    {{ try_cast_to("replace(" ~ expression ~ ", '+0000', '+00:00')", instant_type()) }}
{%- endmacro %}

{#- Newest content of a few columns per record: how a lookup stands today. -#}
{% macro salesforce_newest(relation, key, columns) -%}
    select
        connection,
        {{ key }}
        {%- for column in columns %},
        arg_max({{ column }}, (observed_at, sync_id, position)) as {{ column }}
        {%- endfor %}
    from {{ relation }}
    where has_content
    group by connection, {{ key }}
{%- endmacro %}
