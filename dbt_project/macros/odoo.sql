{#- Odoo says false for "none", whatever the type; a text that is the word itself is lost. -#}
{% macro odoo_text(expression) -%}
    nullif(nullif(trim({{ expression }}), ''), 'false')
{%- endmacro %}

{#- A link: an id, or [id, name] where a server ignores the wish for plain ids. -#}
{% macro odoo_id(expression) -%}
    nullif(nullif(regexp_extract({{ expression }}, '^[[]?([0-9]+)', 1), ''), '0')
{%- endmacro %}
