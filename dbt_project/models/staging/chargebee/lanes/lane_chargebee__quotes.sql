-- Grain: one row per landed version of a Chargebee quote.

select
    quote_key,
    quote_id,
    source_system,
    connection,
    quote_id as quote_number,
    quote_name as name,
    -- A reference with its connection is a deal's key; an id alone is resolved by the invoice.
    case when strpos(deal_reference, ':') > 0 then [deal_reference] else [] end
        as source_deal_keys,
    case when customer_key is not null then [customer_key] else [] end as source_company_keys,
    case status
        when 'open' then 'sent'
        when 'accepted' then 'accepted'
        when 'invoiced' then 'accepted'
        when 'declined' then 'rejected'
        else 'void'
    end as status,
    status as vendor_status,
    currency_code,
    {{ chargebee_money('total_minor - tax_minor', 'currency_code') }} as net_amt,
    {{ chargebee_money('tax_minor', 'currency_code') }} as tax_amt,
    {{ chargebee_money('total_minor', 'currency_code') }} as gross_amt,
    {{ company_date('quoted_at') }} as quote_date,
    {{ company_date('valid_till_at') }} as valid_until,
    quoted_at as created_at,
    updated_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_chargebee__quotes') }}
