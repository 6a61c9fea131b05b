{#- A model's schema is the one its folder names: staging, intermediate, marts, seeds.
    dbt's default would prefix the target's schema ("main_marts"). -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}

{#- The landed stream `<source>__<stream>`, every version observed up to the as-of.
    Same as source('<source>', '<stream>'); the word reads like the view's own name. -#}
{% macro raw_source(name) -%}
    {%- set parts = name.split('__') -%}
    {{ source(parts[0], parts[1]) }}
{%- endmacro %}

{#- Is this source configured? Unions guard each source's branch with it. -#}
{% macro has_source(name) -%}
    {{ return(name in var('sources', [])) }}
{%- endmacro %}
