-- Grain: one row per line of the newest version of a Xero quote.

with quotes as (
    select *
    from {{ ref('stg_xero__quotes') }}
    qualify
        row_number() over (
            partition by quote_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

items as (
    select
        connection,
        item_code,
        arg_max(item_key, (observed_at, sync_id, position)) as item_key,
        arg_max(item_name, (observed_at, sync_id, position)) as item_name
    from {{ ref('stg_xero__items') }}
    where item_code is not null
    group by connection, item_code
),

numbered as (
    select
        *,
        unnest(range(1, len(lines) + 1)) as number
    from quotes
),

lines as (
    select
        * exclude (lines),
        lines[number] as line,
        coalesce(lines[number].LineItemID, concat(quote_id, ':', number)) as line_id
    from numbered
)

select
    lines.connection || ':' || lines.line_id as quote_line_key,
    lines.line_id,
    lines.source_system,
    lines.connection,
    lines.quote_key as stated_quote_key,
    items.item_key as product_key,
    coalesce(items.item_name, lines.line.Description) as product_name,
    lines.line.ItemCode as sku,
    lines.currency_code,
    cast(lines.line.Quantity as decimal(18, 6)) as quantity,
    cast(lines.line.UnitAmount as decimal(38, 12)) as unit_price_amt,
    {{ xero_line_discount('lines.line') }} as discount_amt,
    {{ xero_line_net('lines.line', 'lines.is_tax_inclusive') }} as net_amt,
    coalesce(lines.line.TaxAmount, 0) as tax_amt,
    lines.change,
    lines.is_deleted,
    lines.observed_at,
    lines.sync_id,
    lines.position,
    lines.raw_version_id
from lines
left join items
    on lines.connection = items.connection and lines.line.ItemCode = items.item_code
where lines.line.LineAmount is not null
