-- Grain: one row per line of the newest version of a sales order of Vtiger: one left out is gone. What
-- is charged or taken off below the lines is the order's, not theirs. A service is never delivered.

with orders as (
    select
        *,
        first_value(is_deleted) over (
            partition by order_key order by observed_at desc, sync_id desc, position desc
        ) as is_order_gone
    from {{ ref('stg_vtiger__sales_orders') }}
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

listed as (
    select
        * exclude (lines),
        unnest(coalesce(lines, [])) as line
    from newest
),

currencies as (
    {{ vtiger_currency_codes() }}
),

products as (
    select
        connection,
        product_id,
        arg_max(sku, (observed_at, sync_id, position)) as sku,
        arg_max(product_name, (observed_at, sync_id, position)) as product_name
    from {{ ref('stg_vtiger__products') }}
    where change = 'upsert'
    group by connection, product_id
),

-- The number before the x in an id is its module's.
services as (
    select
        connection,
        arg_max(id_prefix, (observed_at, sync_id, position)) as id_prefix
    from {{ ref('stg_vtiger__modules') }}
    where module_name = 'Services' and change = 'upsert'
    group by connection
)

select
    listed.connection || ':' || listed.line.id as order_line_key,
    'vtiger' as source_system,
    listed.connection,
    listed.order_key,
    listed.line.id as line_id,
    listed.connection || ':' || listed.line.productid as product_key,
    coalesce(
        nullif(trim(listed.line.product_name), ''),
        products.product_name,
        nullif(trim(listed.line.comment), '')
    ) as product_name,
    products.sku,
    cast(listed.line.quantity as decimal(18, 6)) as quantity,
    listed.line.listprice as unit_price_amt,
    {{ round_money(vtiger_line_net('listed.line'), 'currencies.currency_code') }} as net_amt,
    not coalesce(starts_with(listed.line.productid, services.id_prefix || 'x'), false)
        as is_deliverable,
    listed.change,
    listed.is_order_gone as is_deleted,
    listed.observed_at,
    listed.sync_id,
    listed.position,
    listed.raw_version_id
from listed
left join currencies
    on listed.connection = currencies.connection and listed.currency_id = currencies.currency_id
left join products
    on listed.connection = products.connection and listed.line.productid = products.product_id
left join services on listed.connection = services.connection
where listed.line.id is not null
