-- A cast inside the struct turns text into null without a word: every amount and instant
-- that the payload has must have arrived.

{{ config(enabled=has_source('zoho')) }}

{% set claims = {
    'deals': {'deal_amount': 'Amount', 'probability_percent': 'Probability',
        'expected_close_date': 'Closing_Date', 'stage_changed_at': 'Stage_Modified_Time',
        'created_at': 'Created_Time', 'updated_at': 'Modified_Time'},
    'deal_stage_history': {'deal_amount': 'Amount', 'entered_at': 'Modified_Time'},
    'leads': {'converted_at': 'Converted_Date_Time', 'created_at': 'Created_Time',
        'updated_at': 'Modified_Time'},
    'accounts': {'created_at': 'Created_Time', 'updated_at': 'Modified_Time'},
    'contacts': {'created_at': 'Created_Time', 'updated_at': 'Modified_Time'},
    'calls': {'starts_at': 'Call_Start_Time', 'updated_at': 'Modified_Time'},
    'events': {'starts_at': 'Start_DateTime', 'ends_at': 'End_DateTime'},
    'tasks': {'due_date': 'Due_Date', 'closed_at': 'Closed_Time', 'updated_at': 'Modified_Time'},
    'emails': {'sent_at': 'sent_time'},
    'products': {'unit_price': 'Unit_Price'},
    'quotes': {'gross_amount': 'Grand_Total', 'discount_amount': 'Discount',
        'tax_amount': 'Tax', 'adjustment_amount': 'Adjustment', 'valid_until': 'Valid_Till',
        'created_at': 'Created_Time', 'updated_at': 'Modified_Time'},
    'invoices': {'gross_amount': 'Grand_Total', 'discount_amount': 'Discount',
        'tax_amount': 'Tax', 'adjustment_amount': 'Adjustment', 'issue_date': 'Invoice_Date',
        'due_date': 'Due_Date', 'created_at': 'Created_Time', 'updated_at': 'Modified_Time'},
    'currencies': {'exchange_rate': 'exchange_rate'},
} %}

{% for stream, fields in claims.items() %}
{%- set said = {} -%}
{%- for field in fields.values() %}{% do said.update({field: 'VARCHAR'}) %}{% endfor %}
{% if not loop.first %}union all{% endif %}
select
    '{{ stream }}' as stream,
    parsed.raw_version_id
from {{ ref('stg_zoho__' ~ stream) }} as parsed
inner join (
    select
        raw_version_id,
        {{ json_struct('payload', said) }} as said
    from {{ source('zoho', stream) }}
) as landed on parsed.raw_version_id = landed.raw_version_id
where
    {%- for column, field in fields.items() %}
    {{ 'or ' if not loop.first }}(parsed.{{ column }} is null and landed.said.{{ field }} is not null)
    {%- endfor %}
{% endfor %}
