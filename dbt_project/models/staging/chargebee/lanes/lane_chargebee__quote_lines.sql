-- Grain: one row per line of the newest version of a Chargebee quote, shown by the quote itself
-- or by its groups of lines.

with quotes as (
    select *
    from {{ ref('stg_chargebee__quotes') }}
    qualify
        row_number() over (
            partition by quote_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

groups as (
    select *
    from {{ ref('stg_chargebee__quote_line_groups') }}
    qualify
        row_number() over (
            partition by line_group_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

prices as (
    select *
    from {{ ref('stg_chargebee__item_prices') }}
    where change = 'upsert'
    qualify
        row_number() over (
            partition by item_price_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

lines as (
    select
        quotes.* exclude (lines),
        unnest(quotes.lines) as line
    from quotes
    union all
    select
        quotes.* exclude (lines),
        unnest(groups.lines) as line
    from quotes
    inner join groups
        on
            quotes.quote_key = groups.quote_key
            and quotes.resource_version is not distinct from groups.resource_version
    where coalesce(len(quotes.lines), 0) = 0
)

select
    concat(lines.quote_key, ':', lines.line.id) as quote_line_key,
    lines.line.id as line_id,
    lines.source_system,
    lines.connection,
    lines.quote_key as stated_quote_key,
    lines.connection || ':' || nullif(lines.line.entity_id, '') as product_key,
    coalesce(lines.line.description, prices.price_name) as product_name,
    prices.sku,
    prices.billing_interval,
    lines.currency_code,
    coalesce(
        {{ try_cast_to('lines.line.quantity_in_decimal', 'decimal(18, 6)') }},
        cast(lines.line.quantity as decimal(18, 6))
    ) as quantity,
    {{ chargebee_unit_price(
        'lines.line.unit_amount', 'lines.line.unit_amount_in_decimal', 'lines.currency_code') }}
        as unit_price_amt,
    {{ chargebee_money('coalesce(lines.line.discount_amount, 0)', 'lines.currency_code') }}
        as discount_amt,
    {{ chargebee_money(
        'lines.line.amount - coalesce(lines.line.discount_amount, 0) - case'
        ~ ' when lines.is_tax_inclusive then coalesce(lines.line.tax_amount, 0) else 0 end',
        'lines.currency_code') }} as net_amt,
    {{ chargebee_money('coalesce(lines.line.tax_amount, 0)', 'lines.currency_code') }} as tax_amt,
    prices.term_months,
    {{ company_date(chargebee_instant('lines.line.date_from')) }} as service_start,
    {{ chargebee_last_day('lines.line.date_from', 'lines.line.date_to') }} as service_end,
    lines.change,
    lines.is_deleted,
    lines.observed_at,
    lines.sync_id,
    lines.position,
    lines.raw_version_id
from lines
left join prices on lines.connection || ':' || lines.line.entity_id = prices.item_price_key
where lines.line.id is not null
