{#- How far a billed amount may lie from the booked one and still be equal: the greater of a
    hundred minor units (1.00 euro, 100 yen, 0.100 dinar) times recon_tolerance_units and
    recon_tolerance_pct of the booked amount. -#}
{% macro recon_tolerance(booked, currency_code) -%}
    greatest(
        cast({{ var('recon_tolerance_units', 1.00) }} as decimal(18, 4))
        * {{ hundred_minor_units(currency_code) }},
        {{ round_money(
            'abs(cast(' ~ booked ~ ' as decimal(38, 4))) * cast('
            ~ var('recon_tolerance_pct', 0.005) ~ ' as decimal(9, 6))',
            currency_code
        ) }}
    )
{%- endmacro %}

{#- A hundred minor units of a currency, in major units. -#}
{% macro hundred_minor_units(currency_code) -%}
    case {{ round_money('0.001', currency_code) }}
        when 0.001 then 0.1
        else case {{ round_money('0.51', currency_code) }} when 1 then 100.0 else 1.0 end
    end
{%- endmacro %}

{#- How many instalments, every `months` months from `first_date`, are due for longer than
    the grace at the as-of date. -#}
{% macro instalments_due(first_date, months) -%}
    greatest(
        case
            when {{ first_date }} + {{ var('invoice_grace_days') }} >= {{ as_of_date() }} then 0
            else cast(floor(
                {{ whole_months_between(
                    first_date, as_of_date() ~ ' - ' ~ var('invoice_grace_days') ~ ' - 1'
                ) }} / cast({{ months }} as double)
            ) as bigint) + 1
        end,
        0
    )
{%- endmacro %}

{#- The part of an invoice's amount that a row of int_invoice_shares holds (keyed_shares), in
    the currency of the row (factors): a difference of roundings, so that the parts of one
    amount add up to it. -#}
{% macro share_of(amount) -%}
    {{ round_money('cast(cast(' ~ amount ~ ' as double) * keyed_shares.share_to'
        ~ ' * factors.to_row_currency as decimal(38, 9))', 'factors.row_currency_code') }}
    - {{ round_money('cast(cast(' ~ amount ~ ' as double) * keyed_shares.share_from'
        ~ ' * factors.to_row_currency as decimal(38, 9))', 'factors.row_currency_code') }}
{%- endmacro %}

{#- An amount per billing interval as an amount per month, to eight places: a year is 12 months, a
    week 12/52 of one, a day 12/365 (marts.md, mart_mrr_movement). Divided in whole numbers, so that
    no digit passes through a double and 1 / 12 is no rounded factor. -#}
{% macro monthly_amount(amount, interval_unit, interval_count) -%}
    {%- set times = "case " ~ interval_unit ~ " when 'week' then 13 when 'day' then 365 else 1 end" -%}
    {%- set parts -%}
        case {{ interval_unit }}
            when 'year' then 12 when 'quarter' then 3 when 'month' then 1
            when 'week' then 3 when 'day' then 12
        end * coalesce({{ interval_count }}, 1)
    {%- endset -%}
    {{ decimal_ratio('(' ~ amount ~ ') * (' ~ times ~ ')', '(' ~ parts ~ ')', 8, 8) }}
{%- endmacro %}

{#- The sources that bill and know no deals: their customers are companies of a CRM, where one
    can be recognised in them. -#}
{% macro is_billing_system(source_system) -%}
    {{ source_system }} in ('chargebee', 'quickbooks', 'stripe', 'xero')
{%- endmacro %}
