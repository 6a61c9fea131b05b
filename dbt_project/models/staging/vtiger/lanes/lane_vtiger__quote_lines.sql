-- Grain: one row per line of a Vtiger quote x version of the quote since the line was first
-- seen: an edit writes all lines anew, so that a line left out is one that is gone.

with quotes as (
    select * from {{ ref('stg_vtiger__quotes') }}
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

currencies as (
    select
        connection,
        currency_id,
        arg_max(currency_code, (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_vtiger__currencies') }}
    where change = 'upsert'
    group by connection, currency_id
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

versions as (
    select
        quotes.*,
        currencies.currency_code,
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
    left join currencies
        on
            quotes.connection = currencies.connection
            and quotes.currency_id = currencies.currency_id
),

priced as (
    select
        *,
        coalesce(line.quantity, 0) * cast(coalesce(line.listprice, 0) as decimal(24, 6))
            as full_price,
        coalesce(line.discount_amount, 0)
        + cast(
            coalesce(line.quantity, 0) * cast(coalesce(line.listprice, 0) as decimal(18, 4))
            as decimal(24, 4)
        ) * cast(coalesce(line.discount_percent, 0) / 100 as decimal(9, 6)) as discount
    from versions
)

select
    concat(priced.connection, ':', priced.line_id) as quote_line_key,
    priced.line_id,
    'vtiger' as source_system,
    priced.connection,
    priced.quote_key as stated_quote_key,
    priced.connection || ':' || priced.deal_id as stated_deal_key,
    priced.connection || ':' || priced.line.productid as product_key,
    coalesce(priced.line.product_name, products.product_name) as product_name,
    products.sku,
    'one_time' as billing_interval,
    priced.currency_code,
    cast(priced.line.quantity as decimal(18, 6)) as quantity,
    priced.line.listprice as unit_price_amt,
    {{ round_money('priced.discount', 'priced.currency_code') }} as discount_amt,
    {{ round_money('priced.full_price - priced.discount', 'priced.currency_code') }} as net_amt,
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
        and priced.line.productid = products.product_id
