-- The reconciliation accounts for every billed invoice: per document currency the rows of
-- mart_deal_billing_recon add up to what is billed, in the reporting currency to the cent.
{{ config(severity='error', tags=['billing']) }}

with billed as (
    select coalesce(sum(net_rc), 0) as billed_rc
    from {{ ref('int_invoice_billing_events') }}
),

invoiced as (
    select coalesce(sum(net_rc), 0) as billed_rc
    from {{ ref('fct_invoice') }}
    where is_billable and status <> 'void'
),

credited as (
    select coalesce(sum(credit_notes.net_rc), 0) as credited_rc
    from {{ ref('fct_credit_note') }} as credit_notes
    inner join {{ ref('fct_invoice') }} as invoices
        on
            credit_notes.invoice_key = invoices.invoice_key
            and credit_notes.currency_code = invoices.currency_code
    where credit_notes.status = 'issued' and invoices.is_billable and invoices.status <> 'void'
),

reconciled as (
    select coalesce(sum(billed_net_rc), 0) as billed_rc
    from {{ ref('mart_deal_billing_recon') }}
)

select
    billed.billed_rc as events_rc,
    invoiced.billed_rc - credited.credited_rc as documents_rc,
    reconciled.billed_rc as reconciled_rc
from billed
cross join invoiced
cross join credited
cross join reconciled
where
    billed.billed_rc <> reconciled.billed_rc
    or billed.billed_rc <> invoiced.billed_rc - credited.credited_rc
