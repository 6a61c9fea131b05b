-- A failed cast is null without a word: where the payload of a QuickBooks document has an amount,
-- a currency, a rate or a date, the staged column has one too.
{{ config(severity='error', tags=['billing'], enabled=has_source('quickbooks')) }}

{%- set columns = {
    'TotalAmt': 'gross_amount',
    'TxnTaxDetail.TotalTax': 'tax_amount',
    'Balance': 'balance_amount',
    'RemainingCredit': 'remaining_amount',
    'Deposit': 'deposit_amount',
    'ExpirationDate': 'expiration_date',
    'AcceptedDate': 'accepted_date',
    'CurrencyRef.value': 'currency_code',
    'ExchangeRate': 'exchange_rate',
    'TxnDate': 'issue_date',
    'DueDate': 'due_date',
} -%}
{% for stream in [
    'invoices', 'sales_receipts', 'credit_memos', 'refund_receipts', 'estimates'
] %}
    select
        landed.raw_version_id,
        '{{ stream }}' as stream
    from {{ source('quickbooks', stream) }} as landed
    inner join {{ ref('stg_quickbooks__' ~ stream) }} as staged
        on landed.raw_version_id = staged.raw_version_id
    where
        {% for field, column in columns.items() %}
            (
                {{ json_has_value('landed.payload', '$.' ~ field) }}
                and staged.{{ column }} is null
            )
            {% if not loop.last %}or{% endif %}
        {% endfor %}
    union all
{% endfor %}
select
    landed.raw_version_id,
    'payments' as stream
from {{ source('quickbooks', 'payments') }} as landed
inner join {{ ref('stg_quickbooks__payments') }} as staged
    on landed.raw_version_id = staged.raw_version_id
where
    ({{ json_has_value('landed.payload', '$.TotalAmt') }} and staged.paid_amount is null)
    or ({{ json_has_value('landed.payload', '$.TxnDate') }} and staged.paid_date is null)
    or ({{ json_has_value('landed.payload', '$.ExchangeRate') }} and staged.exchange_rate is null)
union all
select
    landed.raw_version_id,
    'exchange_rates' as stream
from {{ source('quickbooks', 'exchange_rates') }} as landed
inner join {{ ref('stg_quickbooks__exchange_rates') }} as staged
    on landed.raw_version_id = staged.raw_version_id
where
    ({{ json_has_value('landed.payload', '$.Rate') }} and staged.rate is null)
    or ({{ json_has_value('landed.payload', '$.AsOfDate') }} and staged.effective_date is null)
