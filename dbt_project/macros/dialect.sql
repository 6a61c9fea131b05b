{#- What DuckDB alone can say, by one name each (docs/decisions/0071-portable-sql.md). What
    sqlglot translates by itself needs no macro; a test tells the two apart. -#}

{#- The sum of a value over the elements of a list, nulls left out; null for a list of none.
    `value` says what of an element, which it calls `one`. -#}
{% macro list_total(list, value, one='one') -%}
    {{ return(adapter.dispatch('list_total', 'pipeledger')(list, value, one)) }}
{%- endmacro %}
{% macro duckdb__list_total(list, value, one) -%}
    list_sum(list_transform({{ list }}, lambda {{ one }}: {{ value }}))
{%- endmacro %}
{% macro spark__list_total(list, value, one) -%}
    reduce(
        transform({{ list }}, {{ one }} -> {{ value }}), cast(null as decimal(38, 12)),
        (total, next) -> coalesce(total + next, total, next)
    )
{%- endmacro %}

{#- One value out of all elements of a list, from the first to the last: `step` is a lambda of
    what there is so far and the next element. -#}
{% macro list_fold(list, step) -%}
    {{ return(adapter.dispatch('list_fold', 'pipeledger')(list, step)) }}
{%- endmacro %}
{% macro duckdb__list_fold(list, step) -%}
    list_reduce({{ list }}, {{ step }})
{%- endmacro %}
{% macro spark__list_fold(list, step) -%}
    reduce(slice({{ list }}, 2, size({{ list }})), element_at({{ list }}, 1), {{ step }})
{%- endmacro %}

{#- The element at a place, from 1, or from the end with -1; null where there is none. -#}
{% macro list_at(list, place) -%}
    {{ return(adapter.dispatch('list_at', 'pipeledger')(list, place)) }}
{%- endmacro %}
{% macro duckdb__list_at(list, place) -%}
    list_extract({{ list }}, {{ place }})
{%- endmacro %}
{% macro spark__list_at(list, place) -%}
    try_element_at({{ list }}, {{ place }})
{%- endmacro %}

{#- The places of a list from 1, a row each: beside unnest of the same list they number it. -#}
{% macro list_places(list) -%}
    {{ return(adapter.dispatch('list_places', 'pipeledger')(list)) }}
{%- endmacro %}
{% macro duckdb__list_places(list) -%}
    generate_subscripts({{ list }}, 1)
{%- endmacro %}
{% macro spark__list_places(list) -%}
    explode(sequence(1, size({{ list }})))
{%- endmacro %}

{#- The parts of a text between what a regular expression finds. -#}
{% macro split_by(text, pattern) -%}
    {{ return(adapter.dispatch('split_by', 'pipeledger')(text, pattern)) }}
{%- endmacro %}
{% macro duckdb__split_by(text, pattern) -%}
    regexp_split_to_array({{ text }}, '{{ pattern }}')
{%- endmacro %}
{% macro default__split_by(text, pattern) -%}
    split({{ text }}, '{{ pattern }}')
{%- endmacro %}

{#- Several columns as one value, which is distinct from another where any of them is. -#}
{% macro row_of(columns) -%}
    {{ return(adapter.dispatch('row_of', 'pipeledger')(columns)) }}
{%- endmacro %}
{% macro duckdb__row_of(columns) -%}
    row({{ columns | join(', ') }})
{%- endmacro %}
{% macro spark__row_of(columns) -%}
    struct({{ columns | join(', ') }})
{%- endmacro %}

{#- Aggregate: the value of the first row by an order, of those that fulfil a condition; null if
    that row has none. -#}
{% macro first_by(value, order, condition=none) -%}
    {{ return(adapter.dispatch('first_by', 'pipeledger')(value, order)
        ~ (' filter (where ' ~ condition ~ ')' if condition else '')) }}
{%- endmacro %}
{% macro duckdb__first_by(value, order) -%}
    arg_min_null({{ value }}, {{ order }})
{%- endmacro %}
{% macro spark__first_by(value, order) -%}
    min_by({{ value }}, {{ order }})
{%- endmacro %}

{#- The product of the factors of a window; no factor is negative. -#}
{% macro product_over(factor, window) -%}
    {{ return(adapter.dispatch('product_over', 'pipeledger')(factor, window)) }}
{%- endmacro %}
{% macro duckdb__product_over(factor, window) -%}
    product({{ factor }}) over ({{ window }})
{%- endmacro %}
{% macro spark__product_over(factor, window) -%}
    case
        when min({{ factor }}) over ({{ window }}) = 0 then 0
        else exp(sum(ln({{ factor }})) over ({{ window }}))
    end
{%- endmacro %}

{#- Whether a row is of the part of a table that is being built, by its key, a column or several:
    true for each where the table is built at once. -#}
{% macro is_in_part(key) -%}
    {{ return(adapter.dispatch('is_in_part', 'pipeledger')(key)) }}
{%- endmacro %}
{% macro duckdb__is_in_part(key) -%}
    (
        getvariable('part_from') is null
        or hash({{ key }}) between getvariable('part_from') and getvariable('part_to')
    )
{%- endmacro %}
{% macro spark__is_in_part(key) -%}
    true
{%- endmacro %}
