-- Grain: one row per landed version of a Xero quote. No id leads from a quote to its invoice.

with quotes as (
    select
        *,
        {{ xero_deal_reference('reference', 'cast(null as varchar)') }} as deal_reference
    from {{ ref('stg_xero__quotes') }}
)

select
    quote_key,
    quote_id,
    source_system,
    connection,
    quote_number,
    title as name,
    -- A reference with its connection is a deal's key; an id alone is one deal's or many's.
    case when strpos(deal_reference, ':') > 0 then [deal_reference] else [] end
        as source_deal_keys,
    case when contact_key is not null then [contact_key] else [] end as source_company_keys,
    case status
        when 'DRAFT' then 'draft'
        when 'SENT' then 'sent'
        when 'ACCEPTED' then 'accepted'
        when 'INVOICED' then 'accepted'
        when 'DECLINED' then 'rejected'
        else 'void'
    end as status,
    status as vendor_status,
    currency_code,
    cast(net_amount as {{ money_type() }}) as net_amt,
    tax_amount as tax_amt,
    gross_amount as gross_amt,
    issue_date as quote_date,
    expiry_date as valid_until,
    source_updated_at as updated_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from quotes
