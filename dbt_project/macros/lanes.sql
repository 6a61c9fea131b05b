{#- The canonical rows of an entity, over the sources that are configured.

    columns: [(name, type)], the entity's canonical columns. sources: those that know the
    entity, each with a model lane_<source>__<entity> in its staging folder. A lane leaves out
    the columns that its vendor has no word for, they are null; a column that is not canonical
    is refused by a test. Without a source the result is empty, and typed all the same. -#}
{% macro union_lanes(entity, columns, sources) -%}
    select
        {%- for name, type in columns %}
        cast({{ name }} as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            {%- for name, type in columns %}
            cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        where false
        {%- for source in sources if has_source(source) %}
        {{ union_all_by_name() }}
        select * from {{ ref('lane_' ~ source ~ '__' ~ entity) }}
        {%- endfor %}
    ) as lanes
{%- endmacro %}

{#- Rows of several branches by the names of their columns; what a branch lacks is null. -#}
{% macro union_all_by_name() -%}
    {{ return(adapter.dispatch('union_all_by_name', 'pipeledger')()) }}
{%- endmacro %}
{% macro default__union_all_by_name() -%}
    union all by name
{%- endmacro %}
