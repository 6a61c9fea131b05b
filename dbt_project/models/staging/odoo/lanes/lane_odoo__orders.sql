-- Grain: one row per landed version of an Odoo sales order: a quotation that was ever seen confirmed.
-- One that was cancelled before we saw it confirmed cannot be told from a refused quotation.

with orders as (
    select
        *,
        bool_or(coalesce(vendor_status in ('sale', 'done'), false)) over (
            partition by order_key
        ) as was_confirmed
    from {{ ref('stg_odoo__orders') }}
),

currencies as (
    select
        connection,
        currency_id,
        arg_max(upper(currency_code), (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_odoo__currencies') }}
    where has_content
    group by connection, currency_id
),

partners as (
    select
        connection,
        partner_id,
        arg_max(
            coalesce(commercial_partner_id, parent_id, partner_id),
            (observed_at, sync_id, position)
        ) as company_id
    from {{ ref('stg_odoo__partners') }}
    where has_content
    group by connection, partner_id
)

select
    orders.order_key,
    orders.order_id,
    'odoo' as source_system,
    orders.connection,
    orders.order_number,
    orders.connection || ':' || orders.lead_id as source_deal_key,
    orders.order_key as quote_key,
    orders.connection || ':' || partners.company_id as source_company_key,
    orders.owner_id,
    case orders.vendor_status
        when 'sale' then 'confirmed'
        when 'done' then 'done'
        when 'cancel' then 'cancelled'
        else 'draft'
    end as status,
    orders.vendor_status,
    currencies.currency_code,
    orders.net_amount as net_amt,
    orders.tax_amount as tax_amt,
    orders.gross_amount as gross_amt,
    {{ company_date('orders.promised_at') }} as promised_date,
    orders.ordered_at,
    case when orders.vendor_status = 'cancel' then orders.updated_at end as cancelled_at,
    orders.change,
    orders.is_deleted,
    orders.observed_at,
    orders.sync_id,
    orders.position,
    orders.raw_version_id
from orders
left join currencies
    on orders.connection = currencies.connection and orders.currency_id = currencies.currency_id
left join partners
    on orders.connection = partners.connection and orders.partner_id = partners.partner_id
where orders.was_confirmed
