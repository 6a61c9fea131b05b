-- Grain: one row per line of the newest version of a sales order of Vtiger: one left out is gone.

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
)

select
    connection || ':' || line.id as order_line_key,
    'vtiger' as source_system,
    connection,
    order_key,
    line.id as line_id,
    connection || ':' || line.productid as product_key,
    line.product_name as product_name,
    cast(line.quantity as decimal(18, 6)) as quantity,
    line.listprice as unit_price_amt,
    cast(
        coalesce(line.quantity, 0) * cast(coalesce(line.listprice, 0) as decimal(18, 4))
        * cast(1 - coalesce(line.discount_percent, 0) / 100 as decimal(9, 6))
        - coalesce(line.discount_amount, 0) as {{ money_type() }}
    ) as net_amt,
    true as is_deliverable,
    change,
    is_order_gone as is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from listed
where line.id is not null
