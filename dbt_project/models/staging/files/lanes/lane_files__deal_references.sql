-- Grain: one row per deal of a file: the billing documents that it names.

select
    deal_key,
    po_number,
    quote_id as quote_reference,
    invoice_id as invoice_reference,
    subscription_id as subscription_reference
from {{ ref('stg_files__deals') }}
where change = 'upsert'
qualify
    row_number() over (
        partition by deal_key
        order by observed_at desc, sync_id desc, position desc
    ) = 1
