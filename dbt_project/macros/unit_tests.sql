{#- What dbt's unit tests are made of, where its own way is dear: to learn the types of an input
    it makes a context of all macros, and to learn those of a result a temporary table as well.
    DuckDB can be asked. There are some hundred tests of several inputs each. -#}

{#- The rows of a unit test's input, typed as the relation that they stand for; columns that a
    row leaves out are null. dbt calls it by this name. -#}
{% macro get_fixture_sql(rows, column_name_to_data_types) -%}
    {{ return(adapter.dispatch('get_fixture_sql', 'pipeledger')(rows, column_name_to_data_types)) }}
{%- endmacro %}
{% macro default__get_fixture_sql(rows, column_name_to_data_types) -%}
    {{ return(dbt.get_fixture_sql(rows, column_name_to_data_types)) }}
{%- endmacro %}
{% macro duckdb__get_fixture_sql(rows, column_name_to_data_types) -%}
    {%- set types = types_of(this) -%}
    select
    {%- for name, type in types.items() %}
        cast(null as {{ type }}) as "{{ name }}"{{ ',' if not loop.last }}
    {%- endfor %}
    where false
    {%- for row in rows %}
        union all by name
        select
        {%- for name, value in row.items() %}
            {%- if name | lower not in types -%}
                {%- do format_row(row, types) -%}{#- dbt's words for a name that is none -#}
            {%- endif %}
            {%- if value is string -%}
                {%- set value = "'" ~ value | replace("'", "''") ~ "'" -%}
            {%- elif value is none -%}
                {%- set value = 'null' -%}
            {%- endif %}
            cast({{ value }} as {{ types[name | lower] }}) as "{{ name | lower }}"{{ ',' if not loop.last }}
        {%- endfor %}
    {%- endfor %}
{%- endmacro %}

{#- Compares what a model makes of its fixtures with what is expected of it. -#}
{% materialization unit, adapter='duckdb' %}
    {%- set types = types_of('(' ~ sql ~ ')') -%}
    {%- set quoted = {} -%}
    {%- for name in types -%}
        {%- do quoted.update({name: adapter.quote(name)}) -%}
    {%- endfor -%}
    {%- set rows = config.get('expected_rows') -%}
    {%- set expected = config.get('expected_sql') or get_expected_sql(rows, types, quoted) -%}
    {%- set compared = [] -%}
    {%- for name in (rows[0].keys() if rows else types) -%}
        {%- do compared.append(quoted[name | lower]) -%}
    {%- endfor -%}
    {% call statement('main', fetch_result=True) -%}
        {{ get_unit_test_sql(sql, expected, compared) }}
    {%- endcall %}
    {{ return({'relations': []}) }}
{% endmaterialization %}

{#- The type of each column, by its name in lower case. One value of JSON: dbt guesses at the
    type of every cell of an answer. -#}
{% macro types_of(relation) -%}
    {%- set found = {} -%}
    {%- set question -%}
        select cast(to_json(list([lower(column_name), column_type])) as varchar)
        from (describe {{ relation }})
    {%- endset -%}
    {%- for name, type in fromjson(adapter.execute(question, fetch=True)[1].rows[0][0]) -%}
        {%- do found.update({name: type}) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
