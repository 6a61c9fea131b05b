{#- What Stripe's JSON needs: ids that may be expanded objects, epoch seconds, and amounts
    in Stripe's own minor unit (docs/sources/stripe.md). -#}

{#- An expandable field is an id or, when expanded, the whole object: give the id. -#}
{% macro stripe_id(expression) -%}
    case
        when starts_with({{ expression }}, '{') then json_extract_string({{ expression }}, '$.id')
        else nullif({{ expression }}, '')
    end
{%- endmacro %}

{#- Unix seconds to TIMESTAMPTZ. -#}
{% macro stripe_instant(seconds) -%}
    to_timestamp(cast({{ seconds }} as double))
{%- endmacro %}

{#- Minor units to major units by the number of decimals that Stripe keeps for the currency
    (seed stripe_currency_scales): a multiplication, so that no digit passes through a
    double. A currency that the seed does not name has two. -#}
{% macro stripe_money(minor, digits) -%}
    cast(
        cast({{ minor }} as decimal(38, 4)) * case coalesce({{ digits }}, 2)
            when 0 then 1.000 when 3 then 0.001 else 0.010
        end as {{ money_type() }}
    )
{%- endmacro %}

{#- A unit price in minor units with up to twelve decimals, to major units. -#}
{% macro stripe_unit_price(minor, digits) -%}
    cast(
        cast({{ minor }} as decimal(32, 12)) * case coalesce({{ digits }}, 2)
            when 0 then 1.000 when 3 then 0.001 else 0.010
        end as decimal(38, 12)
    )
{%- endmacro %}

{#- Sum of one field over a list of structs; null where the list itself is absent. -#}
{% macro stripe_list_sum(list, field) -%}
    case
        when {{ list }} is not null
            then cast(
                coalesce({{ list_total(list, 'x.' ~ field, 'x') }}, 0) as bigint
            )
    end
{%- endmacro %}

{#- Metadata keys under which a CRM writes its deal's id; the first that is filled wins. -#}
{% macro stripe_deal_reference_keys() -%}
    {{ return(var('deal_reference_keys', [
        'crm_deal_id', 'deal_id', 'hubspot_deal_id', 'salesforce_opportunity_id',
        'sfdc_opportunity_id', 'opportunity_id',
    ])) }}
{%- endmacro %}

{% macro stripe_deal_reference(metadata) -%}
    coalesce(
        {%- for key in stripe_deal_reference_keys() %}
        nullif(trim(json_extract_string({{ metadata }}, '$.{{ key }}')), ''),
        {%- endfor %}
        null
    )
{%- endmacro %}
