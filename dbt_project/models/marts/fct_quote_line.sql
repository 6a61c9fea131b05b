-- Grain: one row per line of a quote or of a deal.

with lines as (
    select * from {{ ref('int_quote_lines_current') }}
),

quotes as (
    select * from {{ ref('int_quotes_current') }}
),

-- Where the quote names its lines and the lines do not name the quote.
listed as (
    select
        line_key,
        min(quote_key) as quote_key
    from (select quote_key, unnest(source_line_keys) as line_key from quotes)
    group by line_key
),

associated as (
    select * from {{ ref('int_line_deals_unioned') }}
),

survivors as (
    select * from {{ ref('int_deal_survivors') }}
),

known_deals as (
    select deal_key from {{ ref('int_deals_current') }}
),

linked as (
    select
        lines.*,
        quotes.quote_key,
        coalesce(
            lines.stated_deal_key, associated.deal_key, quotes.source_deal_keys[1]
        ) as source_deal_key,
        quotes.currency_code as quote_currency_code
    from lines
    left join listed
        on lines.quote_line_key = listed.line_key
    left join associated
        on lines.quote_line_key = associated.line_key
    left join quotes
        on coalesce(lines.stated_quote_key, listed.quote_key) = quotes.quote_key
),

final as (
    select
        linked.quote_line_key,
        linked.line_id,
        linked.quote_key,
        known_deals.deal_key,
        linked.product_key,
        linked.product_name,
        linked.sku,
        linked.billing_interval,
        coalesce(linked.currency_code, linked.quote_currency_code) as currency_code,
        linked.quantity,
        linked.unit_price_amt,
        linked.discount_amt,
        linked.net_amt,
        linked.tax_amt,
        linked.term_months,
        coalesce(linked.billing_interval != 'one_time', false) as is_recurring,
        linked.service_start,
        linked.service_end,
        linked.is_deleted,
        linked.source_system,
        linked.connection,
        linked.raw_version_id
    from linked
    left join survivors
        on linked.source_deal_key = survivors.deal_key
    left join known_deals
        on coalesce(survivors.survivor_deal_key, linked.source_deal_key) = known_deals.deal_key
)

select * from final
