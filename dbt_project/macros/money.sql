{#- Decimals of a currency's minor unit, as the literal that round() wants. The seed
    `currencies` holds the same digits; a test compares the two. -#}
{% macro round_money(amount, currency_code) -%}
    {#- Half away from zero, per row, before any sum. The argument may be wider than
        DECIMAL(18,4): widen before multiplying, since 250 000.00 x 1.1 overflows. Each
        branch has its own cast: the common type of DECIMAL(38,0) and DECIMAL(38,2) is the
        former, which would cut the cents of every wide product. -#}
    case
        when {{ currency_code }} in (
            'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX',
            'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'
        ) then cast(round({{ amount }}, 0) as {{ money_type() }})
        when {{ currency_code }} in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND')
            then cast(round({{ amount }}, 3) as {{ money_type() }})
        else cast(round({{ amount }}, 2) as {{ money_type() }})
    end
{%- endmacro %}

{#- An amount in another currency: amount x rate, rounded to the target's minor unit. -#}
{% macro convert_money(amount, rate, currency_code) -%}
    {{ round_money(
        'cast(' ~ amount ~ ' as decimal(38, 4)) * cast(' ~ rate ~ ' as decimal(18, 9))',
        currency_code
    ) }}
{%- endmacro %}

{#- a / b as a decimal of `out_places`, rounded half to even, of two decimals of `in_places`: in
    whole numbers, since `/` would pass through a double. Null where b is null or 0, and where
    the result has more digits than 38 can hold. -#}
{% macro decimal_ratio(a, b, in_places, out_places) -%}
    {{ return(adapter.dispatch('decimal_ratio', 'pipeledger')(a, b, in_places, out_places)) }}
{%- endmacro %}
{% macro duckdb__decimal_ratio(a, b, in_places, out_places) -%}
    {%- set n -%}
        try(cast(replace(cast(cast({{ a }} as decimal(38, {{ in_places }})) as varchar), '.', '')
            as hugeint) * cast(1{{ '0' * out_places }} as hugeint))
    {%- endset -%}
    {%- set d -%}
        nullif(cast(replace(cast(cast({{ b }} as decimal(38, {{ in_places }})) as varchar), '.', '')
            as hugeint), 0)
    {%- endset -%}
    cast(
        cast(
            {{ n }} // {{ d }}
            + case
                when 2 * ({{ n }} % {{ d }}) > {{ d }} then 1
                when 2 * ({{ n }} % {{ d }}) = {{ d }} and ({{ n }} // {{ d }}) % 2 = 1 then 1
                else 0
            end
            as decimal(28, 0)
        ) * cast('0.{{ '0' * (out_places - 1) }}1' as decimal({{ out_places + 1 }}, {{ out_places }}))
        as decimal(38, {{ out_places }})
    )
{%- endmacro %}
{% macro default__decimal_ratio(a, b, in_places, out_places) -%}
    cast(
        cast({{ a }} as decimal(38, {{ in_places }}))
        / nullif(cast({{ b }} as decimal(38, {{ in_places }})), 0)
        as decimal(38, {{ out_places }})
    )
{%- endmacro %}

{#- a / b as DOUBLE; null, never infinity or nan, when b is null or 0. -#}
{% macro ratio(numerator, denominator) -%}
    (cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0))
{%- endmacro %}
