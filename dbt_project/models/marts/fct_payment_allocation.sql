-- Grain: one row per payment or credit x invoice x applied date and kind; signed, a positive
-- amount lowers the invoice's balance.

select
    payment_allocation_key,
    invoice_key,
    payment_key,
    credit_note_key,
    kind,
    currency_code,
    source_system,
    connection,
    raw_version_id,
    applied_amt,
    is_out_of_band,
    false as is_deleted,
    applied_date
from {{ ref('int_payment_allocations') }}
