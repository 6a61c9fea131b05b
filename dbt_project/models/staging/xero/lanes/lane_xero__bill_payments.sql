-- Grain: one row per landed version of a payment of a Xero bill, and one per allocation in the newest
-- version of a supplier's credit note. A payment that was taken back has status DELETED.

with notes as (
    select *
    from {{ ref('stg_xero__credit_notes') }}
    where document_type = 'ACCPAYCREDIT'
    qualify
        row_number() over (
            partition by credit_note_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

allocated as (
    select
        * exclude (allocations),
        unnest(coalesce(allocations, [])) as allocation
    from notes
)

select
    payment_key as bill_payment_key,
    source_system,
    connection,
    document_key as bill_key,
    'payment' as kind,
    currency_code,
    amount as paid_amt,
    paid_date,
    change,
    is_deleted or coalesce(status = 'DELETED', false) as is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_xero__payments') }}
where payment_type = 'ACCPAYPAYMENT'
union all by name
select
    concat_ws(':', credit_note_key, allocation.Invoice.InvoiceID, allocation.AllocationID)
        as bill_payment_key,
    source_system,
    connection,
    connection || ':' || allocation.Invoice.InvoiceID as bill_key,
    'credit' as kind,
    currency_code,
    allocation.Amount as paid_amt,
    {{ xero_day('allocation.DateString', 'allocation.Date') }} as paid_date,
    'upsert' as change,
    is_deleted or coalesce(status in ('VOIDED', 'DELETED'), false)
    or coalesce(allocation.IsDeleted, false) as is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from allocated
