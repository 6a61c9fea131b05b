-- Grain: one row per won deal, as of the build: how far it is on its way to cash, and where it
-- waits longer than nine of ten did in the last year. Lags are business days.

with deals as (
    select * from {{ ref('fct_deal') }}
    where status = 'won' and not is_deleted and not is_excluded
),

orders as (
    select
        deal_key,
        min(ordered_at) as ordered_at,
        min(ordered_date) as ordered_date,
        count(*) as n_orders
    from {{ ref('fct_order') }}
    where is_committed and deal_key is not null
    group by deal_key
),

lines as (
    select
        *,
        least(greatest({{ ratio('delivered_qty', 'qty') }}, 0), 1) as share
    from {{ ref('fct_order_line') }}
    where
        is_committed
        and is_deliverable
        and qty > 0
        and coalesce(net_amt, 0) >= 0
        and deal_key is not null
),

goods as (
    select
        deal_key,
        -- In the reporting currency only where a deal was ordered in several.
        case
            when min(currency_code) = max(currency_code)
                then {{ ratio('sum(cast(net_amt as double) * share)', 'sum(net_amt)') }}
            else {{ ratio('sum(cast(net_rc as double) * share)', 'sum(net_rc)') }}
        end as delivered_share,
        min(first_delivered_at) as first_delivered_at,
        case
            when count(fully_delivered_at) = count(*) then max(fully_delivered_at)
        end as fully_delivered_at
    from lines
    group by deal_key
),

billing as (
    select
        *,
        paid_gross_amt - refunded_gross_amt - disputed_gross_amt as kept_gross_amt
    from {{ ref('mart_deal_billing_recon') }}
    where deal_key is not null
),

-- A deal that was won before its pipeline's first order was never meant to have one here.
first_orders as (
    select
        deals.pipeline_key,
        min(orders.ordered_date) as first_ordered_date
    from deals
    inner join orders on deals.deal_key = orders.deal_key
    group by deals.pipeline_key
),

dated as (
    select
        deals.deal_key,
        deals.company_key,
        deals.owner_user_key,
        deals.pipeline_key,
        deals.source_system,
        deals.connection,
        deals.raw_version_id,
        deals.won_at,
        deals.closed_date as won_date,
        coalesce(orders.n_orders, 0) as n_orders,
        orders.ordered_at,
        orders.ordered_date,
        orders.deal_key is not null
        or coalesce(deals.closed_date >= first_orders.first_ordered_date, false)
            as is_order_expected,
        goods.deal_key is not null as is_deliverable,
        goods.first_delivered_at,
        {{ company_date('goods.first_delivered_at') }} as first_delivered_date,
        goods.fully_delivered_at,
        {{ company_date('goods.fully_delivered_at') }} as fully_delivered_date,
        goods.delivered_share,
        billing.first_invoice_date as first_invoiced_date,
        {{ ratio('billing.billed_net_amt', 'billing.booked_net_amt') }} as billed_share,
        {{ ratio(
            'billing.kept_gross_amt',
            '(billing.kept_gross_amt + billing.outstanding_gross_amt'
            ~ ' + billing.written_off_gross_amt)'
        ) }} as paid_share,
        coalesce(billing.outstanding_gross_amt > 0, false) as is_money_due,
        case
            when
                billing.billing_status in ('fully_billed', 'over_billed')
                and billing.payment_status in ('paid', 'overpaid')
                then billing.last_paid_date
        end as fully_paid_date
    from deals
    left join orders on deals.deal_key = orders.deal_key
    left join goods on deals.deal_key = goods.deal_key
    left join billing on deals.deal_key = billing.deal_key
    left join first_orders on deals.pipeline_key = first_orders.pipeline_key
),

-- From when each step runs: what has to be there before it can begin.
begun as (
    select
        *,
        case
            when is_deliverable then fully_delivered_date
            else coalesce(ordered_date, won_date)
        end as invoice_from_date
    from dated
),

business_days as (
    select
        date,
        sum(case when is_business_day then 1 else 0 end) over (order by date) as day_no
    from {{ ref('dim_date') }}
),

counted as (
    select
        begun.*,
        ordered_days.day_no - won_days.day_no as order_lag_days,
        first_delivery_days.day_no - ordered_days.day_no as first_delivery_lag_days,
        delivery_days.day_no - ordered_days.day_no as delivery_lag_days,
        invoiced_days.day_no - invoice_from_days.day_no as invoice_lag_days,
        paid_days.day_no - invoiced_days.day_no as payment_lag_days,
        -- How long an unfinished step has run.
        case
            when
                begun.is_order_expected
                and begun.ordered_date is null
                and begun.first_invoiced_date is null
                then today.day_no - won_days.day_no
        end as order_wait_days,
        case
            when begun.is_deliverable and begun.fully_delivered_date is null
                then today.day_no - ordered_days.day_no
        end as delivery_wait_days,
        case
            when
                begun.first_invoiced_date is null
                and (begun.ordered_date is not null or not begun.is_order_expected)
                then today.day_no - invoice_from_days.day_no
        end as invoice_wait_days,
        case
            when begun.is_money_due and begun.fully_paid_date is null
                then today.day_no - invoiced_days.day_no
        end as payment_wait_days
    from begun
    left join business_days as today on today.date = {{ as_of_date() }}
    left join business_days as won_days on begun.won_date = won_days.date
    left join business_days as ordered_days on begun.ordered_date = ordered_days.date
    left join business_days as first_delivery_days
        on begun.first_delivered_date = first_delivery_days.date
    left join business_days as delivery_days
        on begun.fully_delivered_date = delivery_days.date
    left join business_days as invoice_from_days
        on begun.invoice_from_date = invoice_from_days.date
    left join business_days as invoiced_days on begun.first_invoiced_date = invoiced_days.date
    left join business_days as paid_days on begun.fully_paid_date = paid_days.date
),

{% set steps = {
    'order': 'ordered_date',
    'delivery': 'fully_delivered_date',
    'invoice': 'first_invoiced_date',
    'payment': 'fully_paid_date',
} %}
-- What nine of ten took, of those that finished the step within a year before the as-of.
limits as (
    select
        {%- for step, ended in steps.items() %}
        quantile_disc({{ step }}_lag_days, 0.9) filter (
            where {{ ended }} between {{ as_of_date() }} - 364 and {{ as_of_date() }}
        ) as {{ step }}_limit_days{{ ',' if not loop.last }}
        {%- endfor %}
    from counted
),

judged as (
    select
        counted.*,
        case
            {%- for step in steps %}
            when counted.{{ step }}_wait_days > limits.{{ step }}_limit_days then '{{ step }}'
            {%- endfor %}
        end as stuck_step,
        limits.*
    from counted
    cross join limits
),

final as (
    select
        deal_key,
        company_key,
        owner_user_key,
        pipeline_key,
        stuck_step,
        source_system,
        connection,
        raw_version_id,
        delivered_share,
        billed_share,
        paid_share,
        cast(n_orders as bigint) as n_orders,
        cast(order_lag_days as bigint) as order_lag_days,
        cast(first_delivery_lag_days as bigint) as first_delivery_lag_days,
        cast(delivery_lag_days as bigint) as delivery_lag_days,
        cast(invoice_lag_days as bigint) as invoice_lag_days,
        cast(payment_lag_days as bigint) as payment_lag_days,
        cast(
            case stuck_step
                {%- for step in steps %}
                when '{{ step }}' then {{ step }}_wait_days
                {%- endfor %}
            end as bigint
        ) as stuck_days,
        cast(
            case stuck_step
                {%- for step in steps %}
                when '{{ step }}' then {{ step }}_limit_days
                {%- endfor %}
            end as bigint
        ) as stuck_limit_days,
        is_order_expected,
        is_deliverable,
        is_deliverable
        and first_invoiced_date is not null
        and coalesce(first_invoiced_date < first_delivered_date, true)
            as is_billed_before_delivered,
        first_delivered_at is not null and first_invoiced_date is null
            as is_delivered_not_billed,
        {{ as_of_date() }} as as_of_date,
        won_date,
        first_invoiced_date,
        fully_paid_date,
        won_at,
        ordered_at,
        first_delivered_at,
        fully_delivered_at
    from judged
)

select * from final
