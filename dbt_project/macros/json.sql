{#- JSON by one parse: all wanted fields of a payload as one struct. `structure` is a
    mapping of field to type, nested mappings and one-element lists included:

        {{ json_struct('payload', {'id': 'VARCHAR', 'properties': {'amount': 'DECIMAL(24,4)'},
                                   'labels': ['VARCHAR']}) }}

    A field that is absent or does not fit its type is null, without a word. Measured five
    times faster than one extraction per column, and money keeps its digits: `->>` passes
    numbers through a double. -#}
{% macro json_struct(expression, structure) -%}
    {{ return(adapter.dispatch('json_struct', 'pipeledger')(expression, structure)) }}
{%- endmacro %}
{% macro duckdb__json_struct(expression, structure) -%}
    json_transform({{ expression }}, '{{ tojson(structure) }}')
{%- endmacro %}
{% macro spark__json_struct(expression, structure) -%}
    from_json({{ expression }}, '{{ json_ddl(structure) }}')
{%- endmacro %}

{#- Spark's spelling of the same structure: struct<a:string,b:array<decimal(24,4)>>. -#}
{% macro json_ddl(structure) -%}
    {%- if structure is mapping -%}
        struct<
        {%- for field, type in structure.items() -%}
            `{{ field }}`:{{ json_ddl(type) }}{{ ',' if not loop.last }}
        {%- endfor -%}
        >
    {%- elif structure is string -%}
        {{ {'VARCHAR': 'string', 'TIMESTAMPTZ': 'timestamp', 'JSON': 'string'}.get(
            structure | upper, structure | lower) }}
    {%- else -%}
        array<{{ json_ddl(structure[0]) }}>
    {%- endif -%}
{%- endmacro %}

{#- Is there a value at this path? The paired test of a silent cast asks it. -#}
{% macro json_has_value(expression, path) -%}
    {{ return(adapter.dispatch('json_has_value', 'pipeledger')(expression, path)) }}
{%- endmacro %}
{% macro duckdb__json_has_value(expression, path) -%}
    (nullif(trim(json_extract_string({{ expression }}, '{{ path }}')), '') is not null)
{%- endmacro %}
{% macro spark__json_has_value(expression, path) -%}
    (nullif(trim(get_json_object({{ expression }}, '{{ path }}')), '') is not null)
{%- endmacro %}
