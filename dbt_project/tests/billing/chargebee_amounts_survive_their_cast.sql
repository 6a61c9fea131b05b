-- A failed cast is null without a word: where the payload of an invoice, credit note or
-- transaction has an amount, a currency or a date, the staged column has one too.
{{ config(severity='error', tags=['billing'], enabled=has_source('chargebee')) }}

select landed.raw_version_id
from {{ source('chargebee', 'invoices') }} as landed
inner join {{ ref('stg_chargebee__invoices') }} as staged
    on landed.raw_version_id = staged.raw_version_id
where
    ({{ json_has_value('landed.payload', '$.total') }} and staged.total_minor is null)
    or (
        {{ json_has_value('landed.payload', '$.amount_due') }}
        and staged.amount_due_minor is null
    )
    or ({{ json_has_value('landed.payload', '$.currency_code') }} and staged.currency_code is null)
    or ({{ json_has_value('landed.payload', '$.exchange_rate') }} and staged.exchange_rate is null)
    or ({{ json_has_value('landed.payload', '$.date') }} and staged.issued_at is null)
    or ({{ json_has_value('landed.payload', '$.due_date') }} and staged.due_at is null)
union all
select landed.raw_version_id
from {{ source('chargebee', 'credit_notes') }} as landed
inner join {{ ref('stg_chargebee__credit_notes') }} as staged
    on landed.raw_version_id = staged.raw_version_id
where
    ({{ json_has_value('landed.payload', '$.total') }} and staged.total_minor is null)
    or ({{ json_has_value('landed.payload', '$.date') }} and staged.issued_at is null)
union all
select landed.raw_version_id
from {{ source('chargebee', 'transactions') }} as landed
inner join {{ ref('stg_chargebee__transactions') }} as staged
    on landed.raw_version_id = staged.raw_version_id
where
    ({{ json_has_value('landed.payload', '$.amount') }} and staged.amount_minor is null)
    or ({{ json_has_value('landed.payload', '$.date') }} and staged.transacted_at is null)
union all
select landed.raw_version_id
from {{ source('chargebee', 'quotes') }} as landed
inner join {{ ref('stg_chargebee__quotes') }} as staged
    on landed.raw_version_id = staged.raw_version_id
where
    ({{ json_has_value('landed.payload', '$.total') }} and staged.total_minor is null)
    or ({{ json_has_value('landed.payload', '$.date') }} and staged.quoted_at is null)
