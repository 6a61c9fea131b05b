-- Grain: one row per landed version of a QuickBooks estimate. A closed one became an invoice, which
-- it names; one that was closed by hand is void.

with estimates as (
    select
        *,
        len(list_filter(linked, lambda one: one.TxnType = 'Invoice')) > 0 as is_invoiced
    from {{ ref('stg_quickbooks__estimates') }}
),

homes as (
    {{ quickbooks_homes() }}
),

referred as (
    select
        estimates.*,
        {{ quickbooks_deal_reference() }} as deal_reference,
        homes.home_currency_code
    from estimates
    left join homes on estimates.connection = homes.connection
)

select
    document_key as quote_key,
    document_id as quote_id,
    source_system,
    connection,
    document_number as quote_number,
    -- A reference with its connection is a deal's key; an id alone is resolved by the invoice.
    case when strpos(deal_reference, ':') > 0 then [deal_reference] else [] end
        as source_deal_keys,
    case when customer_key is not null then [customer_key] else [] end as source_company_keys,
    case
        when is_void then 'void'
        when is_invoiced or vendor_status in ('Accepted', 'Converted') then 'accepted'
        when vendor_status = 'Rejected' then 'rejected'
        when vendor_status = 'Closed' then 'void'
        else 'sent'
    end as status,
    vendor_status,
    coalesce(currency_code, home_currency_code) as currency_code,
    net_amount as net_amt,
    tax_amount as tax_amt,
    gross_amount as gross_amt,
    issue_date as quote_date,
    expiration_date as valid_until,
    accepted_date,
    source_updated_at as updated_at,
    case when is_deleted then 'deleted' else 'upsert' end as change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from referred
