-- Shares of an invoice lie end to end from 0 to 1 and add up to its net: no cent is lost
-- between deals, none is counted twice.
{{ config(severity='error', tags=['billing']) }}

select
    invoices.invoice_key,
    invoices.net_amt,
    sum(shares.allocated_net_amt) as divided_amt
from {{ ref('fct_invoice') }} as invoices
left join {{ ref('int_invoice_shares') }} as shares on invoices.invoice_key = shares.invoice_key
where invoices.is_billable
group by invoices.invoice_key, invoices.net_amt
having
    coalesce(sum(shares.allocated_net_amt), 0) <> invoices.net_amt
    or min(shares.share_from) <> 0
    or max(shares.share_to) <> 1
