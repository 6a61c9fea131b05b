-- Grain: one row per deal of HubSpot: the billing documents that it names.

select
    deal_key,
    po_number,
    quote_reference,
    invoice_reference,
    subscription_reference
from {{ ref('stg_hubspot__deal_references') }}
-- An archived deal still shows what it says; only a bare tombstone says nothing.
where
    not is_deleted
    or coalesce(po_number, quote_reference, invoice_reference, subscription_reference)
    is not null
qualify
    row_number() over (
        partition by deal_key
        order by observed_at desc, sync_id desc, position desc
    ) = 1
