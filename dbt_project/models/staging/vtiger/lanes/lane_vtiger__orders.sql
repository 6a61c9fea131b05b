-- Grain: one row per landed version of a sales order of Vtiger. It stands from its creation: there is
-- no other day of the order.

with orders as (
    select * from {{ ref('stg_vtiger__sales_orders') }}
),

currencies as (
    select
        connection,
        currency_id,
        arg_max(currency_code, (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_vtiger__currencies') }}
    where change = 'upsert'
    group by connection, currency_id
)

select
    orders.order_key,
    orders.order_id,
    'vtiger' as source_system,
    orders.connection,
    orders.order_number,
    orders.connection || ':' || orders.deal_id as source_deal_key,
    orders.connection || ':' || orders.quote_id as quote_key,
    orders.connection || ':' || orders.company_id as source_company_key,
    orders.owner_id,
    case orders.vendor_status
        when 'cancelled' then 'cancelled'
        when 'delivered' then 'done'
        else 'confirmed'
    end as status,
    orders.vendor_status,
    currencies.currency_code as currency_code,
    orders.net_amount as net_amt,
    cast(orders.gross_amount - orders.net_amount as {{ money_type() }}) as tax_amt,
    orders.gross_amount as gross_amt,
    orders.promised_date,
    orders.created_at as ordered_at,
    case when orders.vendor_status = 'cancelled' then orders.updated_at end as cancelled_at,
    orders.change,
    orders.is_deleted,
    orders.observed_at,
    orders.sync_id,
    orders.position,
    orders.raw_version_id
from orders
left join currencies
    on orders.connection = currencies.connection and orders.currency_id = currencies.currency_id
