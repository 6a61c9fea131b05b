{#- Tables and views are replaced in place, by one statement in one transaction.

    dbt-duckdb's own materializations build beside the old relation, rename twice and drop, and
    each of these asks dbt for a context of all macros: half of what a small model costs. Nobody
    reads the warehouse while it is built, and a killed statement leaves the old relation, so the
    detour would buy nothing (docs/decisions/0049). -#}

{% materialization table, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
        {{ replace_table(target, sql) }}
    {%- endcall %}
    {%- if config.get('contract').enforced %}{{ assert_contract(target) }}{% endif %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- Rows are added to what stands, in place: dbt-duckdb's own makes a second table of them first.
    What they replace is taken out by the model's own pre_hook, so a key to merge by is refused. -#}
{% materialization incremental, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- if config.get('unique_key') is not none or config.get('incremental_strategy') != 'append' -%}
        {{ exceptions.raise_compiler_error(
            'an incremental model of this project appends: give it incremental_strategy=append, no '
            ~ 'unique_key, and a pre_hook that deletes what it replaces'
        ) }}
    {%- endif -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set is_new = existing is none or existing.type != 'table' or should_full_refresh() -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
        {% if is_new -%}
            {{ replace_table(target, sql) }}
        {%- else -%}
            {{ append_to_table(target, sql) }}
        {%- endif %}
    {%- endcall %}
    {%- if config.get('contract').enforced %}{{ assert_contract(target) }}{% endif %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- The statements that make a table anew of a query. -#}
{% macro replace_table(target, sql) -%}
    {%- set parts = number_of_parts() -%}
    {{ drop_if_another_kind(target) }}
    {%- for part in range(parts) %}
    {{ begin_part(part, parts) }}
    {{ 'insert into' if part else 'create or replace table' }} {{ target }}
    {{ '' if part else 'as' }} ({{ sql }});
    {%- endfor %}
{%- endmacro %}

{#- Refuse a table that breaks its contract, before it is committed: what stood before it stays.
    dbt's own materialization asks about the query, which DuckDB reads and plans a second time for
    it, and lays its columns into the contract's order. Here they stand in it, and their types are
    written as DuckDB writes them; dbt's own is asked where they do not, to say what differs. -#}
{% macro assert_contract(target) -%}
    {%- set stands = 'select * from ' ~ target -%}
    {%- set found, told = [], [] -%}
    {%- for column in adapter.get_column_schema_from_query(stands) -%}
        {%- do found.append(column.name ~ ' ' ~ column.dtype | lower) -%}
    {%- endfor -%}
    {%- for column in model.columns.values() -%}
        {%- do told.append(column.name ~ ' ' ~ column.data_type) -%}
    {%- endfor -%}
    {%- if found != told -%}
        {{ get_assert_columns_equivalent(stands) }}
        {{ exceptions.raise_compiler_error(
            target ~ ' has ' ~ (found | join(', ')) ~ '; its contract tells the same in another '
            ~ 'order, or by other names of types: ' ~ (told | join(', '))
        ) }}
    {%- endif -%}
{%- endmacro %}

{#- The statements that add a query's rows to a table of the same columns. -#}
{% macro append_to_table(target, sql) -%}
    {%- set parts = number_of_parts() -%}
    {%- set stands = adapter.get_columns_in_relation(target) | map(attribute='name') | list -%}
    {%- set comes = adapter.execute(get_empty_subquery_sql(sql), fetch=True)[1].column_names | list -%}
    {%- if stands | sort != comes | sort -%}
        {{ exceptions.raise_compiler_error(
            target ~ ' has the columns ' ~ (stands | sort | join(', ')) ~ ', and its model '
            ~ (comes | sort | join(', ')) ~ ': build it anew with --full-refresh'
        ) }}
    {%- endif -%}
    {%- for part in range(parts) %}
    {{ begin_part(part, parts) }}
    insert into {{ target }} (
        {%- for column in comes %}{{ adapter.quote(column) }}{{ ', ' if not loop.last }}{% endfor -%}
    ) ({{ sql }});
    {%- endfor %}
{%- endmacro %}

{#- How many parts a table is built in: as many as keep what each reads near
    `PIPELEDGER_ROWS_AT_ONCE` rows, so that memory does not grow with the company
    (docs/decisions/0082). Counted are the rows of the model `in_parts_of`: those of which
    `in_parts_where` is true, a column or a condition in Jinja, if the table says one, and each as so
    many as `in_parts_rows` says, a number or an expression over its columns: what a row takes differs
    by model. One part, where it names no model. -#}
{% macro number_of_parts() -%}
    {%- set of = config.get('in_parts_of') -%}
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
    {%- set rows = 'select coalesce(sum(' ~ config.get('in_parts_rows', 1) ~ '), 0) from ' ~ ref(of)
        ~ ' where ' ~ render(config.get('in_parts_where', 'true')) -%}
    {%- set counted = adapter.execute(rows, fetch=True)[1] -%}
    {{ return([1, (counted.rows[0][0] | float / most) | round(0, 'ceil') | int] | max) }}
{%- endmacro %}

{#- The statements that follow speak of one part of the keys (`is_in_part`): of those whose hash,
    a number of 64 bits, lies in one of as many equal ranges. -#}
{% macro begin_part(part, parts) -%}
    {%- set hashes = 2 ** 64 -%}
    {%- if parts > 1 -%}
        set variable part_from = cast({{ part * hashes // parts }} as ubigint);
        set variable part_to = cast({{ (part + 1) * hashes // parts - 1 }} as ubigint);
    {%- elif config.get('in_parts_of') is not none -%}
        reset variable part_from;
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
