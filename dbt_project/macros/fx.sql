{#- What the daily tables of rates have in common (docs/marts/fx_rates.md). -#}

{#- From rates in units of any pivot to one rate in reporting units per currency, date and type:
    crossed where the pivot is another currency, then the best of all providers. `rates` is a CTE
    with a row per provider preference, rate type, pivot, currency and date; `known_date` says when
    the rate was known, and what was known first wins. -#}
{% macro rates_in_reporting(rates) -%}
{%- set told = [
    'effective_date', 'source_system', 'connection', 'raw_version_id', 'rate_source',
] -%}
{%- set rate_type = 'decimal(18, 9)' -%}
pivots as (
    -- The reporting currency in units of each pivot: the pivot itself needs none.
    select *
    from {{ rates }}
    where currency_code = '{{ var("reporting_currency") }}'
),

candidates as (
    select
        preference,
        rate_type,
        pivot_currency_code as currency_code,
        rate_date,
        known_date,
        {{ told | join(', ') }},
        cast({{ decimal_ratio('1', 'rate_to_pivot', 20, 9) }} as {{ rate_type }}) as rate_to_rc
    from pivots
    union all
    -- From the same provider and day as the pivot's own rate.
    select
        others.preference,
        others.rate_type,
        others.currency_code,
        others.rate_date,
        greatest(others.known_date, coalesce(pivots.known_date, others.known_date)) as known_date,
        {%- for column in told %}
        others.{{ column }},
        {%- endfor %}
        case
            when others.pivot_currency_code = '{{ var("reporting_currency") }}'
                then cast(round(others.rate_to_pivot, 9) as {{ rate_type }})
            else cast(
                {{ decimal_ratio('others.rate_to_pivot', 'pivots.rate_to_pivot', 20, 9) }}
                as {{ rate_type }}
            )
        end as rate_to_rc
    from {{ rates }} as others
    left join pivots
        on
            others.preference = pivots.preference
            and others.rate_type = pivots.rate_type
            and others.pivot_currency_code = pivots.pivot_currency_code
            and others.rate_date = pivots.rate_date
),

-- The company's own table wins over the central bank's, and that over the CRM's; a nearer
-- fixing over an older one.
final as (
    select *
    from candidates
    where rate_to_rc > 0 and currency_code <> '{{ var("reporting_currency") }}'
    qualify
        row_number() over (
            partition by currency_code, rate_date, rate_type
            order by known_date asc, preference asc, effective_date desc, raw_version_id asc
        ) = 1
)

select * from final
{%- endmacro %}

{#- The rate of each basis that the pipeline is told on, by currency and date. -#}
{% macro rates_by_basis() -%}
    select
        case rate_type when 'spot' then 'restated' else 'as_known' end as basis,
        currency_code,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type in ('spot', 'spot_as_known')
{%- endmacro %}
