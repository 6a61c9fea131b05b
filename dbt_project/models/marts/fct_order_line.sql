-- Grain: one row per line of an order, with what of it was shipped and delivered by the as-of.

with lines as (
    {{ newest_versions('int_order_lines_unioned', 'order_line_key') }}
),

orders as (
    select * from {{ ref('fct_order') }}
),

deliveries as (
    select
        order_line_key,
        shipped_qty,
        shipped_at,
        delivered_at,
        status
    from {{ ref('fct_delivery') }}
    where status in ('shipped', 'delivered', 'returned') and not is_deleted
),

-- What was there after each arrival or return.
standing as (
    select
        order_line_key,
        delivered_at,
        sum(sum(shipped_qty)) over (
            partition by order_line_key order by delivered_at
        ) as delivered_qty
    from deliveries
    where status in ('delivered', 'returned')
    group by order_line_key, delivered_at
),

reached as (
    select
        standing.*,
        max(case when standing.delivered_qty < lines.quantity then standing.delivered_at end)
            over (partition by standing.order_line_key) as last_short_at
    from standing
    inner join lines on standing.order_line_key = lines.order_line_key
),

completed as (
    select
        order_line_key,
        min(delivered_at) filter (
            where last_short_at is null or delivered_at > last_short_at
        ) as fully_delivered_at
    from reached
    group by order_line_key
),

moved as (
    select
        order_line_key,
        sum(shipped_qty) filter (where shipped_qty > 0) as shipped_qty,
        sum(shipped_qty) filter (where status in ('delivered', 'returned')) as delivered_qty,
        -sum(shipped_qty) filter (where status = 'returned') as returned_qty,
        min(delivered_at) filter (where status = 'delivered') as first_delivered_at
    from deliveries
    group by order_line_key
),

valued as (
    select
        lines.*,
        orders.deal_key,
        orders.currency_code,
        orders.ordered_date,
        orders.promised_date as order_promised_date,
        orders.rate_to_rc,
        coalesce(orders.is_committed, false) and not lines.is_deleted as is_committed,
        coalesce(
            lines.net_amt,
            {{ round_money('lines.quantity * lines.unit_price_amt', 'orders.currency_code') }}
        ) as known_net_amt,
        coalesce(moved.shipped_qty, 0) as shipped_qty,
        coalesce(moved.delivered_qty, 0) as delivered_qty,
        coalesce(moved.returned_qty, 0) as returned_qty,
        moved.first_delivered_at,
        completed.fully_delivered_at
    from lines
    left join orders on lines.order_key = orders.order_key
    left join moved on lines.order_line_key = moved.order_line_key
    left join completed on lines.order_line_key = completed.order_line_key
),

final as (
    select
        order_line_key,
        line_id,
        order_key,
        deal_key,
        product_key,
        product_name,
        sku,
        currency_code,
        source_system,
        connection,
        raw_version_id,
        quantity as qty,
        unit_price_amt,
        known_net_amt as net_amt,
        {{ convert_money('known_net_amt', 'rate_to_rc', "'" ~ var('reporting_currency') ~ "'") }}
            as net_rc,
        cast(shipped_qty as decimal(18, 6)) as shipped_qty,
        cast(delivered_qty as decimal(18, 6)) as delivered_qty,
        cast(returned_qty as decimal(18, 6)) as returned_qty,
        cast(
            case
                when is_committed and is_deliverable then greatest(quantity - delivered_qty, 0)
                else 0
            end as decimal(18, 6)
        ) as open_qty,
        is_deliverable,
        delivered_qty > quantity as is_over_delivered,
        is_committed,
        is_deleted,
        ordered_date,
        coalesce(promised_date, order_promised_date) as promised_date,
        first_delivered_at,
        -- A line that was whole once and came back in part is not whole.
        case when delivered_qty >= quantity then fully_delivered_at end as fully_delivered_at
    from valued
)

select * from final
