{#- What Chargebee's JSON needs: epoch seconds, amounts in its own minor unit, and custom fields
    that name a deal (docs/sources/chargebee.md). -#}

{#- Unix seconds to TIMESTAMPTZ. -#}
{% macro chargebee_instant(seconds) -%}
    to_timestamp(cast({{ seconds }} as double))
{%- endmacro %}

{#- The last day of a period: it ends at the instant at which the next one begins. -#}
{% macro chargebee_last_day(date_from, date_to) -%}
    greatest(
        {{ company_date(chargebee_instant('(' ~ date_to ~ ') - 1')) }},
        {{ company_date(chargebee_instant(date_from)) }}
    )
{%- endmacro %}

{#- Chargebee's integers to major units: currencies without a subunit are whole, all others,
    the dinars too, are hundredths. A multiplication, so that no digit passes through a double. -#}
{% macro chargebee_money(minor, currency_code) -%}
    cast(
        cast({{ minor }} as decimal(38, 4)) * {{ chargebee_scale(currency_code) }}
        as {{ money_type() }}
    )
{%- endmacro %}

{% macro chargebee_scale(currency_code) -%}
    case
        when {{ currency_code }} in (
            'BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV',
            'XAF', 'XOF', 'XPF'
        ) then 1.00
        else 0.01
    end
{%- endmacro %}

{#- A unit price: the exact text in major units where the site has multi-decimal pricing. -#}
{% macro chargebee_unit_price(minor, in_decimal, currency_code) -%}
    coalesce(
        {{ try_cast_to(in_decimal, 'decimal(38, 12)') }},
        cast(
            cast({{ minor }} as decimal(32, 4)) * {{ chargebee_scale(currency_code) }}
            as decimal(38, 12)
        )
    )
{%- endmacro %}

{#- The fields of an object in which a CRM writes its deal's id: custom fields at the top, and
    meta_data. Goes into the structure of json_struct. -#}
{% macro chargebee_deal_fields() -%}
    {%- set fields = {'meta_data': 'JSON'} -%}
    {%- for key in stripe_deal_reference_keys() -%}
        {%- do fields.update({'cf_' ~ key: 'VARCHAR'}) -%}
    {%- endfor -%}
    {{ return(fields) }}
{%- endmacro %}

{#- The first of them that is filled. -#}
{% macro chargebee_deal_reference(body) -%}
    coalesce(
        {%- for key in stripe_deal_reference_keys() %}
        nullif(trim({{ body }}.cf_{{ key }}), ''),
        {%- endfor %}
        {%- for key in stripe_deal_reference_keys() %}
        nullif(trim(json_extract_string({{ body }}.meta_data, '$.{{ key }}')), ''),
        {%- endfor %}
        null
    )
{%- endmacro %}

{#- A line of an invoice, credit note or quote, as json_struct wants it. -#}
{% macro chargebee_line() -%}
    {{ return({
        'id': 'VARCHAR',
        'subscription_id': 'VARCHAR',
        'description': 'VARCHAR',
        'entity_type': 'VARCHAR',
        'entity_id': 'VARCHAR',
        'reference_line_item_id': 'VARCHAR',
        'quantity': 'BIGINT',
        'quantity_in_decimal': 'VARCHAR',
        'unit_amount': 'BIGINT',
        'unit_amount_in_decimal': 'VARCHAR',
        'amount': 'BIGINT',
        'discount_amount': 'BIGINT',
        'tax_amount': 'BIGINT',
        'proration_mode': 'VARCHAR',
        'date_from': 'BIGINT',
        'date_to': 'BIGINT',
    }) }}
{%- endmacro %}

{#- The name of a person, of two columns of a struct. -#}
{% macro chargebee_person(first, last) -%}
    nullif(trim(concat_ws(' ', nullif(trim({{ first }}), ''), nullif(trim({{ last }}), ''))), '')
{%- endmacro %}
