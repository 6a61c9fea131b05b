-- Grain: one row per landed version of an Odoo quotation; a confirmed one is a sales order.

with orders as (
    select * from {{ ref('stg_odoo__orders') }}
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

lines as (
    select
        connection,
        line_key,
        arg_max(order_id, (observed_at, sync_id, position)) as order_id
    from {{ ref('stg_odoo__order_lines') }}
    where has_content and display_type is null
    group by connection, line_key
),

-- A quotation may name a person: its company is whom it is for.
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
),

line_sets as (
    select
        connection,
        order_id,
        list(line_key order by line_key) as line_keys
    from lines
    group by connection, order_id
)

select
    orders.order_key as quote_key,
    orders.order_id as quote_id,
    'odoo' as source_system,
    orders.connection,
    orders.order_number as quote_number,
    orders.order_number as name,
    case
        when orders.lead_id is not null then [concat(orders.connection, ':', orders.lead_id)]
        else []
    end as source_deal_keys,
    case
        when partners.company_id is not null
            then [concat(orders.connection, ':', partners.company_id)]
        else []
    end as source_company_keys,
    coalesce(line_sets.line_keys, cast([] as varchar[])) as source_line_keys,
    orders.owner_id,
    case orders.vendor_status
        when 'sent' then 'sent'
        when 'sale' then 'accepted'
        when 'done' then 'accepted'
        when 'cancel' then 'rejected'
        else 'draft'
    end as status,
    orders.vendor_status,
    currencies.currency_code,
    orders.net_amount as net_amt,
    orders.tax_amount as tax_amt,
    orders.gross_amount as gross_amt,
    {{ company_date('orders.created_at') }} as quote_date,
    orders.valid_until,
    -- Confirming a quotation moves its date_order to that moment.
    case
        when orders.vendor_status in ('sale', 'done') then {{ company_date('orders.ordered_at') }}
    end as accepted_date,
    orders.created_at,
    orders.updated_at,
    orders.change,
    orders.is_deleted,
    orders.observed_at,
    orders.sync_id,
    orders.position,
    orders.raw_version_id
from orders
left join currencies
    on orders.connection = currencies.connection and orders.currency_id = currencies.currency_id
left join line_sets
    on orders.connection = line_sets.connection and orders.order_id = line_sets.order_id
left join partners
    on orders.connection = partners.connection and orders.partner_id = partners.partner_id
