{#- The part of a deal's amount that a row of int_deal_credits holds: a difference of two
    roundings along the running share, so that the parts of one deal add up to its amount. -#}
{% macro credited_part(amount) -%}
    {{ round_money('cast(' ~ amount ~ ' as decimal(38, 4)) * credits.share_to',
        "'" ~ var('reporting_currency') ~ "'") }}
    - {{ round_money('cast(' ~ amount ~ ' as decimal(38, 4)) * credits.share_from',
        "'" ~ var('reporting_currency') ~ "'") }}
{%- endmacro %}

{#- The same of a figure in a currency of its own, or in units, which have four places. -#}
{% macro figure_part(figure, unit) -%}
    case
        when credits.share = 1 and credits.share_from = 0 then {{ figure }}
        {%- for end, sign in [('share_to', ''), ('share_from', '- ')] %}
        {{ "else" if loop.first }} {{ sign }}case
            when {{ unit }} = 'units' then cast(
                round(cast({{ figure }} as decimal(28, 4)) * credits.{{ end }}, 4)
                as {{ money_type() }}
            )
            else {{ round_money(
                'cast(' ~ figure ~ ' as decimal(28, 4)) * credits.' ~ end, unit
            ) }}
        end
        {%- endfor %}
    end
{%- endmacro %}

{#- The scopes of an event that a person is credited with at an instant, as rows joined by the
    caller: see int_user_scopes. -#}
{% macro scope_at(scopes, user_key, instant) -%}
    {{ scopes }}.user_key = {{ user_key }}
    and {{ instant }} >= {{ scopes }}.valid_from
    and {{ instant }} < {{ scopes }}.valid_to
{%- endmacro %}

{#- The part of an amount that a row of declared shares holds: like credited_part, from the share
    and the sum of the shares up to it. Thirds written as 0.333333 are thirds. -#}
{% macro declared_part(amount, shares) -%}
    {%- set up_to -%}
        cast(case
            when abs({{ shares }}.running_share - 1) <= 0.00001 then 1
            else {{ shares }}.running_share
        end as decimal(9, 6))
    {%- endset -%}
    {{ round_money('cast(' ~ amount ~ ' as decimal(28, 4)) * ' ~ up_to,
        "'" ~ var('reporting_currency') ~ "'") }}
    - {{ round_money('cast(' ~ amount ~ ' as decimal(28, 4)) * cast(' ~ shares
        ~ '.running_share - ' ~ shares ~ '.share as decimal(9, 6))',
        "'" ~ var('reporting_currency') ~ "'") }}
{%- endmacro %}

{#- A fiscal period as the calendar spells it: FY27-Q3, 2027-Q3 and FY2027-Q3 mean the same. -#}
{% macro fiscal_name(period) -%}
    case
        when regexp_matches({{ period }}, '^FY\d{2}(-|$)')
            then concat('FY20', substr({{ period }}, 3))
        when regexp_matches({{ period }}, '^\d{4}-[QMW]\d{1,2}$') then concat('FY', {{ period }})
        when regexp_matches({{ period }}, '^\d{4}$') then concat('FY', {{ period }})
        else {{ period }}
    end
{%- endmacro %}

{#- Which grain of a fiscal calendar a span of days has by its length, be it of another calendar
    than the company's of today (4-4-5 has months of 28 and 35 days); null for any other span. -#}
{% macro span_grain(first_date, last_date) -%}
    {%- set days = days_between(first_date, last_date) ~ ' + 1' -%}
    case
        when {{ days }} between 28 and 35 then 'month'
        when {{ days }} between 89 and 98 then 'quarter'
        when {{ days }} between 364 and 371 then 'year'
    end
{%- endmacro %}
