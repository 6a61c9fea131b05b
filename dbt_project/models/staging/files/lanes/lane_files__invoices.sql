-- Grain: one row per landed version of an invoice of a file.

with stated_invoices as (
    select
        *,
        coalesce(net_amt, gross_amt - coalesce(tax_amt, 0)) as stated_net_amt
    from {{ ref('stg_files__invoices') }}
)

select
    invoice_key,
    source_system,
    connection,
    raw_version_id,
    invoice_number as invoice_id,
    invoice_number,
    case
        when status in ('void', 'voided', 'canceled', 'cancelled') then 'void'
        when status in ('written_off', 'uncollectible') then 'written_off'
        when status in ('draft', 'paid') then status
        when status is not null then 'open'
        when voided_date is not null then 'void'
        when written_off_date is not null then 'written_off'
        when paid_date is not null then 'paid'
        else 'open'
    end as status,
    case
        when kind in ('standard', 'deposit', 'recurring', 'self_serve') then kind
        when subscription_id is not null then 'recurring'
        else 'standard'
    end as kind,
    connection || ':' || company_id as customer_key,
    company_name as customer_name,
    company_email as customer_email,
    connection || ':' || company_id as company_reference,
    connection || ':' || subscription_id as subscription_key,
    connection || ':' || quote_id as quote_key,
    po_number,
    description as memo,
    deal_ref as deal_reference,
    superseded_by,
    currency_code,
    cast(stated_net_amt as {{ money_type() }}) as net_amt,
    cast(coalesce(tax_amt, gross_amt - net_amt, 0) as {{ money_type() }}) as tax_amt,
    cast(coalesce(gross_amt, net_amt + coalesce(tax_amt, 0)) as {{ money_type() }})
        as gross_amt,
    coalesce(discount_amt, 0) as discount_amt,
    cast(0 as {{ money_type() }}) as shipping_amt,
    balance_amt as source_balance_amt,
    cast(0 as {{ money_type() }}) as overpaid_amt,
    rate_to_rc as document_rate_to_rc,
    false as is_paid_out_of_band,
    false as is_subscription_start,
    false as has_more_lines,
    is_deleted,
    issue_date,
    due_date,
    voided_date,
    written_off_date,
    paid_date,
    service_start_date as service_start,
    service_end_date as service_end,
    observed_at,
    sync_id,
    position
from stated_invoices
