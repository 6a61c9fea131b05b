-- Grain: one row per landed version of a sales order of Zoho. It stands from its creation: there is
-- no other day of the order.

with orders as (
    select
        *,
        cast(
            coalesce(tax_amount, 0) + coalesce({{ list_total('lines', 'coalesce(one.Tax, 0)') }}, 0)
            as {{ money_type() }}
        ) as all_taxes
    from {{ ref('stg_zoho__sales_orders') }}
),

home_currencies as (
    {{ zoho_home_currencies() }}
)

select
    orders.order_key,
    orders.order_id,
    'zoho' as source_system,
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
    coalesce(orders.currency_code, home_currencies.currency_code) as currency_code,
    cast(orders.gross_amount - orders.all_taxes as {{ money_type() }}) as net_amt,
    orders.all_taxes as tax_amt,
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
left join home_currencies on orders.connection = home_currencies.connection
