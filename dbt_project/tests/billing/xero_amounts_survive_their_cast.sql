-- A failed cast is null without a word: where the payload of a Xero document has an amount, a
-- currency, a rate or a date, the staged column has one too. Zero and the year 1 are no dates.
{{ config(severity='error', tags=['billing'], enabled=has_source('xero')) }}

{%- set documents = {
    'invoices': ['AmountDue', 'AmountPaid', 'AmountCredited'],
    'credit_notes': ['RemainingCredit'],
    'overpayments': ['RemainingCredit'],
    'prepayments': ['RemainingCredit'],
    'quotes': [],
} -%}
{%- set columns = {
    'Total': 'gross_amount',
    'TotalTax': 'tax_amount',
    'CurrencyCode': 'currency_code',
    'CurrencyRate': 'currency_rate',
    'Date': 'issue_date',
    'AmountDue': 'amount_due',
    'AmountPaid': 'amount_paid',
    'AmountCredited': 'amount_credited',
    'RemainingCredit': 'remaining_amount',
} -%}
{% for stream, more in documents.items() %}
    select
        landed.raw_version_id,
        '{{ stream }}' as stream
    from {{ source('xero', stream) }} as landed
    inner join {{ ref('stg_xero__' ~ stream) }} as staged
        on landed.raw_version_id = staged.raw_version_id
    where
        landed.change <> 'deleted'
        and (
            {% for field in ['Total', 'TotalTax', 'CurrencyCode', 'CurrencyRate', 'Date'] + more %}
                (
                    {{ json_has_value('landed.payload', '$.' ~ field) }}
                    and staged.{{ columns[field] }} is null
                )
                {% if not loop.last %}or{% endif %}
            {% endfor %}
        )
    union all
{% endfor %}
select
    landed.raw_version_id,
    'payments' as stream
from {{ source('xero', 'payments') }} as landed
inner join {{ ref('stg_xero__payments') }} as staged
    on landed.raw_version_id = staged.raw_version_id
where
    ({{ json_has_value('landed.payload', '$.Amount') }} and staged.amount is null)
    or ({{ json_has_value('landed.payload', '$.Date') }} and staged.paid_date is null)
