-- Grain: one row per line of a Zoho quote x version of the quote since the line was first seen:
-- a line that a version leaves out is gone.

with quotes as (
    select * from {{ ref('stg_zoho__quotes') }}
),

home_currencies as (
    {{ zoho_home_currencies() }}
),

listed as (
    select
        quote_key,
        raw_version_id,
        observed_at,
        sync_id,
        position,
        unnest(lines) as line
    from quotes
    where change = 'upsert'
),

known as (
    select
        quote_key,
        line.id as line_id,
        arg_max(line, (observed_at, sync_id, position)) as last_shown,
        min((observed_at, sync_id, position)) as first_shown
    from listed
    where line.id is not null
    group by quote_key, line.id
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

versions as (
    select
        quotes.* exclude (currency_code, discount_amount, tax_amount),
        coalesce(quotes.currency_code, home_currencies.currency_code) as currency_code,
        known.line_id,
        listed.line is null or quotes.is_deleted as is_line_gone,
        coalesce(listed.line, known.last_shown) as line
    from quotes
    inner join known
        on
            quotes.quote_key = known.quote_key
            and (quotes.observed_at, quotes.sync_id, quotes.position) >= known.first_shown
    left join listed
        on
            quotes.raw_version_id = listed.raw_version_id
            and known.line_id = listed.line.id
    left join home_currencies on quotes.connection = home_currencies.connection
),

priced as (
    select
        *,
        coalesce(
            line.Total,
            coalesce(line.Quantity, 0) * cast(coalesce(line.List_Price, 0) as decimal(24, 6))
        ) as full_price,
        coalesce(line.Discount, 0) as discount
    from versions
)

select
    concat(priced.connection, ':', priced.line_id) as quote_line_key,
    priced.line_id,
    'zoho' as source_system,
    priced.connection,
    priced.quote_key as stated_quote_key,
    priced.connection || ':' || priced.deal_id as stated_deal_key,
    priced.connection || ':' || priced.line.Product_Name.id as product_key,
    coalesce(priced.line.Product_Name.name, products.product_name) as product_name,
    products.sku,
    'one_time' as billing_interval,
    priced.currency_code,
    cast(priced.line.Quantity as decimal(18, 6)) as quantity,
    priced.line.List_Price as unit_price_amt,
    {{ round_money('priced.discount', 'priced.currency_code') }} as discount_amt,
    {{ round_money('priced.full_price - priced.discount', 'priced.currency_code') }} as net_amt,
    {{ round_money('coalesce(priced.line.Tax, 0)', 'priced.currency_code') }} as tax_amt,
    case when priced.is_line_gone then 'deleted' else priced.change end as change,
    priced.is_line_gone as is_deleted,
    priced.observed_at,
    priced.sync_id,
    priced.position,
    priced.raw_version_id
from priced
left join products
    on
        priced.connection = products.connection
        and priced.line.Product_Name.id = products.product_id
