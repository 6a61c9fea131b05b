-- Grain: one row per order of a customer, newest state.

with orders as (
    {{ newest_versions('int_orders_unioned', 'order_key') }}
),

quotes as (
    select
        quote_key,
        deal_key
    from {{ ref('fct_quote') }}
),

survivors as (
    select * from {{ ref('int_deal_survivors') }}
),

deals as (
    select
        deal_key,
        company_key,
        owner_user_key
    from {{ ref('fct_deal') }}
),

companies as (
    select
        record_key,
        any_value(company_key) as company_key
    from {{ ref('int_company_identities') }}
    group by record_key
),

users as (
    select * from {{ ref('int_user_map') }}
),

connections as (
    select * from {{ ref('stg_config__connections') }}
),

rates as (
    select
        currency_code,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot'
),

linked as (
    select
        orders.*,
        coalesce(orders.source_deal_key, quotes.deal_key) as stated_deal_key,
        {{ company_date('orders.ordered_at') }} as ordered_date,
        coalesce(orders.currency_code, connections.home_currency) as known_currency_code
    from orders
    left join quotes
        on orders.quote_key = quotes.quote_key
    left join connections
        on orders.connection = connections.connection
),

final as (
    select
        linked.order_key,
        linked.order_id,
        linked.order_number as number,
        deals.deal_key,
        linked.quote_key,
        coalesce(companies.company_key, deals.company_key, linked.source_company_key)
            as company_key,
        coalesce(users.user_key, deals.owner_user_key, 'unknown') as owner_user_key,
        linked.status,
        linked.vendor_status,
        linked.known_currency_code as currency_code,
        linked.source_system,
        linked.connection,
        linked.raw_version_id,
        linked.net_amt,
        linked.tax_amt,
        linked.gross_amt,
        {{ convert_money('linked.net_amt', 'rates.rate_to_rc',
            "'" ~ var('reporting_currency') ~ "'") }} as net_rc,
        rates.rate_to_rc,
        linked.status in ('confirmed', 'done')
        and not linked.is_deleted
        and coalesce(linked.ordered_at <= {{ as_of_at() }}, false) as is_committed,
        coalesce(linked.is_status_assumed, false) as is_status_assumed,
        linked.is_deleted,
        linked.ordered_date,
        linked.promised_date,
        {{ company_date('linked.cancelled_at') }} as cancelled_date,
        linked.ordered_at
    from linked
    left join survivors
        on linked.stated_deal_key = survivors.deal_key
    left join deals
        on coalesce(survivors.survivor_deal_key, linked.stated_deal_key) = deals.deal_key
    left join companies
        on linked.source_company_key = companies.record_key
    left join users
        on
            linked.connection = users.connection
            and linked.owner_id = users.owner_id
    left join rates
        on
            linked.known_currency_code = rates.currency_code
            and linked.ordered_date = rates.rate_date
)

select * from final
