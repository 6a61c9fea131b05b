-- Grain: one row per rule that says which of two billing systems' invoices counts.

select
    invoice_key,
    connection,
    superseded_by
from {{ source('config', 'superseded_invoices') }}
