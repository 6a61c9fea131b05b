-- A failed cast is null without a word: where the payload of an invoice has a total or a
-- currency, the staged column has one too.
{{ config(severity='error', tags=['billing'], enabled=has_source('stripe')) }}

select
    landed.raw_version_id,
    staged.total_minor,
    staged.currency_code
from {{ source('stripe', 'invoices') }} as landed
inner join {{ ref('stg_stripe__invoices') }} as staged
    on landed.raw_version_id = staged.raw_version_id
where
    ({{ json_has_value('landed.payload', '$.total') }} and staged.total_minor is null)
    or ({{ json_has_value('landed.payload', '$.currency') }} and staged.currency_code is null)
    or (
        {{ json_has_value('landed.payload', '$.amount_remaining') }}
        and staged.amount_remaining_minor is null
    )
