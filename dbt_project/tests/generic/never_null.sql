{#- No row of the model is null in any of the columns. One scan for all of them: a test per
    column would cost more time than the models themselves. -#}
{% test never_null(model, columns) %}
    with counted as (
        select
            {% for column in columns %}
                count(*) - count({{ column }}) as {{ column }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ model }}
    )

    {% for column in columns %}
        select
            '{{ column }}' as column_name,
            {{ column }} as n_null_rows
        from counted
        where {{ column }} > 0
        {{ 'union all' if not loop.last }}
    {% endfor %}
{% endtest %}
