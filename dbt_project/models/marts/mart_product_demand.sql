-- Grain: one row per product x fiscal month, from the month of the as-of on: what is promised, what
-- is likely to be, and what of it the stock does not cover. Product `unknown` holds the deals that
-- name no products.

with months as (
    select
        period_key,
        start_date,
        end_date
    from {{ ref('dim_fiscal_period') }}
    where grain = 'month' and end_date >= {{ as_of_date() }}
),

order_lines as (
    select
        *,
        {{ days_between('ordered_date', company_date('fully_delivered_at')) }} as lead_days,
        {{ company_date('fully_delivered_at') }} between {{ as_of_date() }} - 364
        and {{ as_of_date() }} as is_lesson
    from {{ ref('fct_order_line') }}
    where is_committed and product_key is not null
),

-- From the order to the last piece, by what was completed in the last 365 days.
company_lead as (
    select coalesce(round(median(lead_days) filter (where is_lesson)), 0) as lead_days
    from order_lines
),

product_leads as (
    select
        product_key,
        max(product_name) as product_name,
        bool_or(is_deliverable) as is_deliverable,
        case
            when count(lead_days) filter (where is_lesson) >= 3
                then round(median(lead_days) filter (where is_lesson))
        end as lead_days
    from order_lines
    group by product_key
),

deal_lines as (
    select * from {{ ref('int_deal_lines') }}
),

ordered as (
    select distinct deal_key
    from {{ ref('fct_order') }}
    where deal_key is not null and not is_deleted and status <> 'draft'
),

-- Won with an order to come, and open.
wanting as (
    select
        deal_key,
        won_date as expected_date,
        true as is_won,
        1.0 as p_win
    from {{ ref('mart_order_to_cash') }}
    where
        is_order_expected
        and deal_key not in (select ordered.deal_key from ordered)
    union all
    select
        odds.deal_key,
        case
            when deals.expected_close_date is not null
                then greatest(deals.expected_close_date, {{ as_of_date() }})
        end,
        false,
        odds.p_win
    from {{ ref('mart_win_probability') }} as odds
    inner join {{ ref('fct_deal') }} as deals on odds.deal_key = deals.deal_key
),

demands as (
    select
        order_lines.product_key,
        order_lines.product_name,
        coalesce(
            order_lines.promised_date,
            order_lines.ordered_date
            + cast(coalesce(product_leads.lead_days, company_lead.lead_days) as integer)
        ) as needed_date,
        order_lines.open_qty as committed_qty,
        cast(0 as decimal(18, 6)) as weighted_open_qty,
        cast(null as varchar) as lineless_deal_key
    from order_lines
    cross join company_lead
    left join product_leads on order_lines.product_key = product_leads.product_key
    where order_lines.open_qty > 0
    union all
    select
        deal_lines.product_key,
        deal_lines.product_name,
        wanting.expected_date
        + cast(coalesce(product_leads.lead_days, company_lead.lead_days) as integer),
        case when wanting.is_won then deal_lines.quantity else 0 end,
        case
            when not wanting.is_won
                then cast(
                    round(
                        cast(deal_lines.quantity as decimal(28, 6))
                        * cast(wanting.p_win as decimal(9, 6)), 6
                    ) as decimal(18, 6)
                )
            else 0
        end,
        null
    from wanting
    cross join company_lead
    inner join deal_lines on wanting.deal_key = deal_lines.deal_key
    left join product_leads on deal_lines.product_key = product_leads.product_key
    where
        deal_lines.product_key is not null
        -- What orders never had shipped is a service.
        and coalesce(product_leads.is_deliverable, true)
        and (wanting.is_won or wanting.p_win is not null)
        and wanting.expected_date is not null
    union all
    select
        'unknown',
        null,
        wanting.expected_date + cast(company_lead.lead_days as integer),
        0,
        0,
        wanting.deal_key
    from wanting
    cross join company_lead
    where
        wanting.expected_date is not null
        and wanting.deal_key not in (
            select deal_lines.deal_key
            from deal_lines
            where deal_lines.product_key is not null
        )
),

-- What is overdue is needed now.
monthly as (
    select
        demands.product_key,
        months.period_key,
        months.start_date,
        max(demands.product_name) as product_name,
        sum(demands.committed_qty) as committed_qty,
        coalesce(sum(demands.weighted_open_qty), 0) as weighted_open_qty,
        count(demands.lineless_deal_key) as deals_without_lines
    from demands
    inner join months
        on greatest(demands.needed_date, {{ as_of_date() }})
        between months.start_date and months.end_date
    group by demands.product_key, months.period_key, months.start_date
),

stock as (
    select
        product_key,
        max(product_name) as product_name,
        sum(on_hand_qty) as on_hand_qty,
        sum(coalesce(inbound_qty, 0)) as inbound_qty
    from {{ ref('fct_stock') }}
    where is_newest
    group by product_key
),

first_month as (
    select
        min(period_key) as period_key,
        min(start_date) as start_date
    from months
    where {{ as_of_date() }} between start_date and end_date
),

rows_wanted as (
    select
        product_key,
        period_key,
        start_date
    from monthly
    union
    select
        stock.product_key,
        first_month.period_key,
        first_month.start_date
    from stock
    inner join first_month on first_month.period_key is not null
),

joined as (
    select
        rows_wanted.*,
        coalesce(monthly.product_name, stock.product_name) as product_name,
        coalesce(monthly.committed_qty, 0) as committed_qty,
        coalesce(monthly.weighted_open_qty, 0) as weighted_open_qty,
        coalesce(monthly.deals_without_lines, 0) as deals_without_lines,
        rows_wanted.start_date = first_month.start_date as is_first_month,
        stock.on_hand_qty,
        stock.inbound_qty,
        sum(coalesce(monthly.committed_qty, 0) + coalesce(monthly.weighted_open_qty, 0)) over (
            partition by rows_wanted.product_key
            order by rows_wanted.start_date
            rows between unbounded preceding and current row
        ) as demand_to_date_qty
    from rows_wanted
    cross join first_month
    left join monthly
        on
            rows_wanted.product_key = monthly.product_key
            and rows_wanted.period_key = monthly.period_key
    left join stock on rows_wanted.product_key = stock.product_key
),

-- What earlier months leave of stock and deliveries to us: the same piece is not sold twice.
supplied as (
    select
        *,
        case
            when is_first_month then on_hand_qty
            else greatest(
                on_hand_qty + inbound_qty
                - (demand_to_date_qty - committed_qty - weighted_open_qty), 0
            )
        end as left_qty,
        case when is_first_month or on_hand_qty is null then inbound_qty else 0 end as arriving_qty
    from joined
),

final as (
    select
        concat_ws('|', supplied.product_key, supplied.period_key) as product_demand_key,
        supplied.product_key,
        supplied.product_name,
        supplied.period_key,
        cast(supplied.committed_qty as decimal(18, 6)) as committed_qty,
        cast(supplied.weighted_open_qty as decimal(18, 6)) as weighted_open_qty,
        cast(supplied.left_qty as decimal(18, 6)) as on_hand_qty,
        cast(supplied.arriving_qty as decimal(18, 6)) as inbound_qty,
        -- Where nobody counts the product, how much is missing is not known either.
        case
            when supplied.left_qty is not null
                then cast(
                    greatest(
                        supplied.committed_qty + supplied.weighted_open_qty
                        - supplied.left_qty - supplied.arriving_qty, 0
                    ) as decimal(18, 6)
                )
        end as shortfall_qty,
        cast(supplied.deals_without_lines as bigint) as deals_without_lines,
        case
            when supplied.product_key <> 'unknown'
                then cast(coalesce(product_leads.lead_days, company_lead.lead_days) as bigint)
        end as lead_days,
        supplied.left_qty is not null as is_stock_known,
        {{ as_of_date() }} as as_of_date,
        supplied.start_date as month_start_date
    from supplied
    cross join company_lead
    left join product_leads on supplied.product_key = product_leads.product_key
)

select * from final
