{#- What the clock of a landed row is off UTC: the connector reads modifiedtime in the server's
    zone, so the two tell it. No offset where the wall clock showed the hour twice. -#}
{% macro vtiger_offset() -%}
    coalesce(landed.source_updated_at - landed.record.modifiedtime, interval '0 seconds')
{%- endmacro %}

{#- What a line of an inventory document is worth before tax, not rounded: quantity x price, less
    the share and the amount that are taken off it. -#}
{% macro vtiger_line_net(line) -%}
    coalesce({{ line }}.quantity, 0) * cast(coalesce({{ line }}.listprice, 0) as decimal(24, 6))
    - coalesce({{ line }}.discount_amount, 0)
    - cast(
        coalesce({{ line }}.quantity, 0) * cast(coalesce({{ line }}.listprice, 0) as decimal(18, 4))
        as decimal(24, 4)
    ) * cast(coalesce({{ line }}.discount_percent, 0) / 100 as decimal(9, 6))
{%- endmacro %}

{#- One row per connection and currency: the ISO code. -#}
{% macro vtiger_currency_codes() -%}
    select
        connection,
        currency_id,
        arg_max(currency_code, (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_vtiger__currencies') }}
    where change = 'upsert'
    group by connection, currency_id
{%- endmacro %}
