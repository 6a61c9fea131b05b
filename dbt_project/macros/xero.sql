{#- What Xero's JSON needs: Microsoft's dates, lines, and free text that names a deal
    (docs/sources/xero.md). -#}

{#- `/Date(1762999999690+0000)/` to TIMESTAMPTZ: milliseconds since 1970 in UTC, whatever offset
    stands behind them. Zero and the year 1 are Xero's words for none. -#}
{% macro xero_instant(text) -%}
    {{ in_utc('case
        when ' ~ xero_milliseconds(text) ~ ' between 1 and 253402300799999
            then make_timestamp(' ~ xero_milliseconds(text) ~ ' * 1000)
    end') }}
{%- endmacro %}

{% macro xero_milliseconds(text) -%}
    try_cast(regexp_extract({{ text }}, '^/Date[(](-?[0-9]+)', 1) as bigint)
{%- endmacro %}

{#- A business day: the text without a zone first, else the day in UTC at which the milliseconds
    stand. Never a day of the company's zone: Xero writes the organisation's day as midnight UTC. -#}
{% macro xero_day(text, milliseconds) -%}
    coalesce(
        case when left({{ text }}, 4) > '0001' then try_cast(left({{ text }}, 10) as date) end,
        cast({{ in_utc(xero_instant(milliseconds)) }} as date)
    )
{%- endmacro %}

{#- The tax of a line is inside its amount only where the document says so. -#}
{% macro xero_line_net(line, is_inclusive) -%}
    cast(
        {{ line }}.LineAmount
        - case when {{ is_inclusive }} then coalesce({{ line }}.TaxAmount, 0) else 0 end
        as {{ money_type() }}
    )
{%- endmacro %}

{#- What a discount took off: what quantity and price make, less the amount of the line. -#}
{% macro xero_line_discount(line) -%}
    cast(
        coalesce(
            {{ line }}.DiscountAmount,
            case
                when {{ line }}.DiscountRate > 0
                    then round(cast({{ line }}.Quantity as decimal(18, 4))
                        * cast({{ line }}.UnitAmount as decimal(18, 4)), 2) - {{ line }}.LineAmount
            end,
            0
        ) as {{ money_type() }}
    )
{%- endmacro %}

{#- A line of an invoice, credit note or quote, as json_struct wants it. -#}
{% macro xero_line() -%}
    {{ return({
        'LineItemID': 'VARCHAR',
        'Description': 'VARCHAR',
        'ItemCode': 'VARCHAR',
        'AccountCode': 'VARCHAR',
        'Quantity': 'DECIMAL(18,4)',
        'UnitAmount': 'DECIMAL(18,4)',
        'LineAmount': 'DECIMAL(18,4)',
        'TaxAmount': 'DECIMAL(18,4)',
        'DiscountRate': 'DECIMAL(18,6)',
        'DiscountAmount': 'DECIMAL(18,4)',
        'Tracking': [{'Name': 'VARCHAR', 'Option': 'VARCHAR'}],
    }) }}
{%- endmacro %}

{#- An allocation of a credit note, overpayment or prepayment to an invoice. -#}
{% macro xero_allocation() -%}
    {{ return({
        'AllocationID': 'VARCHAR',
        'Amount': 'DECIMAL(18,4)',
        'Date': 'VARCHAR',
        'DateString': 'VARCHAR',
        'IsDeleted': 'BOOLEAN',
        'Invoice': {'InvoiceID': 'VARCHAR'},
    }) }}
{%- endmacro %}

{#- The deal that a link or a reference names: the last part of a path below `deal`, `deals`,
    `opportunity` or HubSpot's `0-3`; or the number behind the word deal. A tracking option of a
    category named deal names one too, by itself. -#}
{% macro xero_deal_reference(reference, url) -%}
    coalesce(
        nullif(regexp_extract(
            {{ url }}, '/(?:deals?|opportunit(?:y|ies)|record/0-3)/([[:alnum:]_-]+)', 1
        ), ''),
        nullif(regexp_extract(
            {{ reference }},
            '(?i)(?:^|[^[:alnum:]])deal[ #:=_-]*((?:[[:alpha:]_]+:)?[[:alnum:]-]*[0-9][[:alnum:]-]*)', 1
        ), '')
    )
{%- endmacro %}
