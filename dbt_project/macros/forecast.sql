{#- The bands of the table of win probabilities, and the words of a forecast. -#}

{#- First days of the bands of time spent in a stage. -#}
{% macro age_floors() -%}
    {{ return([0, 15, 31, 61, 121]) }}
{%- endmacro %}

{#- The band of a number of days, as its first day. -#}
{% macro age_band(days) -%}
    case
        {%- for floor in age_floors() | reverse %}
        {%- if floor > 0 %}
        when {{ days }} >= {{ floor }} then {{ floor }}
        {%- endif %}
        {%- endfor %}
        else 0
    end
{%- endmacro %}

{#- The band of an amount, as its lower bound in words: two bands to a power of ten, told by the
    digits and not by a logarithm, so that 1000.00 is in one band on every machine. -#}
{% macro amount_band(amount) -%}
    case
        when {{ amount }} is null then 'none'
        when {{ amount }} < 1 then 'nothing'
        when {{ amount }} >= 3 * cast(concat('1', repeat('0',
            cast(length(cast(cast(floor({{ amount }}) as bigint) as varchar)) as integer) - 1
        )) as bigint)
            then concat('3e', length(cast(cast(floor({{ amount }}) as bigint) as varchar)) - 1)
        else concat('1e', length(cast(cast(floor({{ amount }}) as bigint) as varchar)) - 1)
    end
{%- endmacro %}

{#- What an open deal counts as. Closed is a mapping error on an open deal, and a deal without a
    category was called by nobody: both are pipeline. -#}
{% macro open_category(category) -%}
    case
        when {{ category }} in ('omitted', 'commit', 'most_likely', 'best_case') then {{ category }}
        else 'pipeline'
    end
{%- endmacro %}

{#- A probability that is one; 75 for three quarters is none (R-09 stops that publication). -#}
{% macro sound_probability(probability) -%}
    case when {{ probability }} between 0 and 1 then cast({{ probability }} as decimal(9, 6)) end
{%- endmacro %}

{#- (wins + m x the coarser cell's share) / (n + m), m = 20: DOUBLE. -#}
{% macro shrunk(wins, n, parent) -%}
    (cast({{ wins }} as double) + 20 * {{ parent }}) / (cast({{ n }} as double) + 20)
{%- endmacro %}
