-- Grain: one row per landed version of a line of a HubSpot quote or deal.

select
    line_item_key as quote_line_key,
    line_item_id as line_id,
    'hubspot' as source_system,
    connection,
    quote_keys[1] as stated_quote_key,
    deal_keys[1] as stated_deal_key,
    concat(connection, ':') || product_id as product_key,
    name as product_name,
    sku,
    case
        when billing_interval is null then 'one_time'
        when lower(billing_interval) = 'monthly' then 'month'
        when lower(billing_interval) = 'quarterly' then 'quarter'
        when lower(billing_interval) in ('annually', 'yearly') then 'year'
        else lower(billing_interval)
    end
        as billing_interval,
    currency_code,
    quantity,
    unit_price_amount as unit_price_amt,
    discount_amount as discount_amt,
    net_amount as net_amt,
    tax_amount as tax_amt,
    term_months,
    service_start,
    service_end,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_hubspot__line_items') }}
