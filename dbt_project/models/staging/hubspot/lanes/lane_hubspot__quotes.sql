-- Grain: one row per landed version of a HubSpot quote.

select
    quote_key,
    quote_id,
    'hubspot' as source_system,
    connection,
    quote_number,
    name,
    deal_keys as source_deal_keys,
    company_keys as source_company_keys,
    line_item_keys as source_line_keys,
    owner_id,
    case
        when esigned_at is not null or esign_status = 'ESIGN_COMPLETED' then 'accepted'
        when vendor_status = 'DRAFT' then 'draft'
        when vendor_status in ('PENDING_APPROVAL', 'PENDING_BUYER_ACTION') then 'pending'
        when vendor_status in ('APPROVED', 'APPROVAL_NOT_NEEDED') then 'sent'
        when vendor_status in ('ACCEPTED', 'SIGNED') then 'accepted'
        when vendor_status = 'REJECTED' then 'rejected'
        when vendor_status = 'EXPIRED' then 'expired'
        when vendor_status in ('VOID', 'ARCHIVED', 'RECALLED') then 'void'
        else 'draft'
    end
        as status,
    vendor_status,
    currency_code,
    -- hs_quote_amount is the total the buyer sees; without the tax it says nothing of net.
    cast(gross_amount - tax_amount as {{ money_type() }}) as net_amt,
    tax_amount as tax_amt,
    gross_amount as gross_amt,
    {{ company_date('coalesce(created_at, record_created_at)') }} as quote_date,
    {{ company_date('expires_at') }} as valid_until,
    {{ company_date('esigned_at') }} as accepted_date,
    coalesce(created_at, record_created_at) as created_at,
    updated_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_hubspot__quotes') }}
