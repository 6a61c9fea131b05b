{#- Tables and views are replaced in place, by one statement in one transaction.

    dbt-duckdb's own materializations build beside the old relation, rename twice and drop, and
    each of these asks dbt for a context of all macros: half of what a small model costs. Nobody
    reads the warehouse while it is built, and a killed statement leaves the old relation, so the
    detour would buy nothing (docs/decisions/0049). -#}

{% materialization table, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set contract = config.get('contract') -%}
    {%- set parts = number_of_parts(config.get('in_parts_of')) -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
        {{ drop_if_another_kind(target) }}
        {% if contract.enforced -%}
            {{ get_assert_columns_equivalent(sql) }}
            create or replace table {{ target }} {{ get_table_columns_and_constraints() }};
            {%- for part in range(parts) %}
            {{ begin_part(part, parts) }}
            insert into {{ target }} {{ get_column_names() }} ({{ get_select_subquery(sql) }});
            {%- endfor %}
        {%- else -%}
            {%- for part in range(parts) %}
            {{ begin_part(part, parts) }}
            {{ 'insert into' if part else 'create or replace table' }} {{ target }}
            {{ '' if part else 'as' }} ({{ sql }});
            {%- endfor %}
        {%- endif %}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- How many parts a table is built in: as many as keep what each reads of the model `of`
    near `PIPELEDGER_ROWS_AT_ONCE` rows, so that memory does not grow with the company
    (docs/decisions/0082). One, where the table names no such model. -#}
{% macro number_of_parts(of) -%}
    {%- if of is none -%}
        {{ return(1) }}
    {%- endif -%}
    {%- set most = env_var('PIPELEDGER_ROWS_AT_ONCE', '1000000') | int -%}
    {%- if most < 1 -%}
        {{ exceptions.raise_compiler_error(
            'PIPELEDGER_ROWS_AT_ONCE is ' ~ env_var('PIPELEDGER_ROWS_AT_ONCE')
            ~ ': set it to a whole number of rows, or take it out for 1000000'
        ) }}
    {%- endif -%}
    {%- set counted = adapter.execute('select count(*) from ' ~ ref(of), fetch=True)[1] -%}
    {{ return([1, (counted.rows[0][0] | int + most - 1) // most] | max) }}
{%- endmacro %}

{#- The statements that follow speak of one part of the keys (`is_in_part`). -#}
{% macro begin_part(part, parts) -%}
    {%- if parts > 1 -%}
        set variable parts = cast({{ parts }} as ubigint);
        set variable part = cast({{ part }} as ubigint);
    {%- endif -%}
{%- endmacro %}

{% materialization view, adapter='duckdb' %}
    {%- set target = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
        {{ drop_if_another_kind(target) }}
        create or replace view {{ target }} as ({{ sql }});
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- A table cannot replace a view of the same name, nor a view a table. -#}
{% macro drop_if_another_kind(target) -%}
    {%- set existing = load_cached_relation(target) -%}
    {%- if existing is not none and existing.type != target.type -%}
        drop {{ existing.type }} {{ existing }};
    {%- endif -%}
{%- endmacro %}
