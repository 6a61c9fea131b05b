-- Grain: one row per landed version of a sales order of Vtiger. It stands from its creation: there is
-- no other day of the order. A word for its state that is not Vtiger's own leaves it confirmed.
--
-- The total before tax holds shipping, and the adjustment is added to it; where lines are taxed one
-- by one it holds their tax, which is taken off (as lane_vtiger__invoices does).

with currencies as (
    {{ vtiger_currency_codes() }}
),

orders as (
    select
        orders.*,
        currencies.currency_code,
        coalesce(orders.vendor_status = 'cancelled', false) as is_cancelled,
        max(
            case when orders.vendor_status is distinct from 'cancelled' then orders.observed_at end
        ) over (partition by orders.order_key) as last_standing_at
    from {{ ref('stg_vtiger__sales_orders') }} as orders
    left join currencies
        on
            orders.connection = currencies.connection
            and orders.currency_id = currencies.currency_id
    where orders.change = 'upsert'
),

listed as (
    select
        raw_version_id,
        currency_code,
        unnest(lines) as line
    from orders
    where is_taxed_by_line
),

line_sums as (
    select
        raw_version_id,
        sum({{ round_money(vtiger_line_net('line'), 'currency_code') }}) as net_amt
    from listed
    group by raw_version_id
),

netted as (
    select
        orders.*,
        least(
            cast(
                coalesce(nullif(orders.net_amount, 0), orders.lines_amount, orders.gross_amount)
                + coalesce(orders.adjustment_amount, 0)
                - greatest(coalesce(orders.lines_amount - line_sums.net_amt, 0), 0)
                as {{ money_type() }}
            ),
            orders.gross_amount
        ) as before_tax,
        min(
            case
                when
                    orders.is_cancelled
                    and (
                        orders.last_standing_at is null
                        or orders.observed_at > orders.last_standing_at
                    )
                    then orders.updated_at
            end
        ) over (partition by orders.order_key) as cancelled_since
    from orders
    left join line_sums on orders.raw_version_id = line_sums.raw_version_id
)

select
    order_key,
    order_id,
    'vtiger' as source_system,
    connection,
    order_number,
    connection || ':' || deal_id as source_deal_key,
    connection || ':' || quote_id as quote_key,
    connection || ':' || company_id as source_company_key,
    owner_id,
    case vendor_status
        when 'cancelled' then 'cancelled'
        when 'delivered' then 'done'
        else 'confirmed'
    end as status,
    vendor_status,
    coalesce(vendor_status not in ('created', 'approved', 'delivered', 'cancelled'), true)
        as is_status_assumed,
    currency_code,
    before_tax as net_amt,
    cast(gross_amount - before_tax as {{ money_type() }}) as tax_amt,
    gross_amount as gross_amt,
    promised_date,
    created_at as ordered_at,
    case when is_cancelled then cancelled_since end as cancelled_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from netted
{{ union_all_by_name() }}
select
    order_key,
    connection,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_vtiger__sales_orders') }}
where change <> 'upsert'
