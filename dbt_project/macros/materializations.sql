{#- Tables and views are replaced in place, by one statement in one transaction.

    dbt-duckdb's own materializations build beside the old relation, rename twice and drop, and
    each of these asks dbt for a context of all macros: half of what a small model costs. Nobody
    reads the warehouse while it is built, and a killed statement leaves the old relation, so the
    detour would buy nothing (docs/decisions/0049). -#}

{% materialization table, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set contract = config.get('contract') -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
        {{ drop_if_another_kind(target) }}
        {% if contract.enforced -%}
            {{ get_assert_columns_equivalent(sql) }}
            create or replace table {{ target }} {{ get_table_columns_and_constraints() }};
            insert into {{ target }} {{ get_column_names() }} ({{ get_select_subquery(sql) }});
        {%- else -%}
            create or replace table {{ target }} as ({{ sql }});
        {%- endif %}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

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
