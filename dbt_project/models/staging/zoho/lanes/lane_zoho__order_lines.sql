-- Grain: one row per line of the newest version of a sales order of Zoho: one left out is gone. What is
-- taken off below the lines is the order's, not theirs.

with orders as (
    select
        *,
        first_value(is_deleted) over (
            partition by order_key order by observed_at desc, sync_id desc, position desc
        ) as is_order_gone
    from {{ ref('stg_zoho__sales_orders') }}
),

newest as (
    select *
    from orders
    where change = 'upsert'
    qualify
        row_number() over (
            partition by order_key order by observed_at desc, sync_id desc, position desc
        ) = 1
),

home_currencies as (
    {{ zoho_home_currencies() }}
),

products as (
    select
        connection,
        product_id,
        arg_max(sku, (observed_at, sync_id, position)) as sku,
        arg_max(product_name, (observed_at, sync_id, position)) as product_name
    from {{ ref('stg_zoho__products') }}
    where change = 'upsert'
    group by connection, product_id
),

listed as (
    select
        newest.* exclude (lines, currency_code),
        coalesce(newest.currency_code, home_currencies.currency_code) as currency_code,
        unnest(coalesce(newest.lines, [])) as line
    from newest
    left join home_currencies on newest.connection = home_currencies.connection
),

priced as (
    select
        *,
        coalesce(
            line.Total,
            coalesce(line.Quantity, 0) * cast(coalesce(line.List_Price, 0) as decimal(24, 6))
        ) - coalesce(line.Discount, 0) as net_price
    from listed
)

select
    priced.connection || ':' || priced.line.id as order_line_key,
    'zoho' as source_system,
    priced.connection,
    priced.order_key,
    priced.line.id as line_id,
    priced.connection || ':' || priced.line.Product_Name.id as product_key,
    coalesce(priced.line.Product_Name.name, products.product_name, priced.line.Description)
        as product_name,
    products.sku,
    cast(priced.line.Quantity as decimal(18, 6)) as quantity,
    priced.line.List_Price as unit_price_amt,
    {{ round_money('priced.net_price', 'priced.currency_code') }} as net_amt,
    true as is_deliverable,
    priced.change,
    priced.is_order_gone as is_deleted,
    priced.observed_at,
    priced.sync_id,
    priced.position,
    priced.raw_version_id
from priced
left join products
    on
        priced.connection = products.connection
        and priced.line.Product_Name.id = products.product_id
where priced.line.id is not null
