-- Grain: one row per landed version of an application of a file.

select
    payment_allocation_key,
    invoice_key,
    payment_key,
    credit_note_key,
    source_system,
    connection,
    raw_version_id,
    kind,
    applied_amt,
    is_deleted,
    applied_date,
    observed_at,
    sync_id,
    position
from {{ ref('stg_files__payment_allocations') }}
