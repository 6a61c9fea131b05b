-- Grain: one row per line of the newest version of a Xero sales invoice: lines of a draft come
-- and go. A line without an amount is words; Xero's rounding is a line like others.

with invoices as (
    select *
    from {{ ref('stg_xero__invoices') }}
    qualify
        row_number() over (
            partition by invoice_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

items as (
    select
        connection,
        item_code,
        arg_max(item_key, (observed_at, sync_id, position)) as item_key
    from {{ ref('stg_xero__items') }}
    where item_code is not null
    group by connection, item_code
),

numbered as (
    select
        *,
        unnest(range(1, len(lines) + 1)) as number
    from invoices
    where document_type = 'ACCREC'
),

lines as (
    select
        * exclude (lines),
        lines[number] as line,
        list_filter(
            lines[number].Tracking, lambda one: regexp_matches(lower(one.Name), '(^|[^a-z])deal')
        )[1].Option as deal_option
    from numbered
)

select
    concat(
        lines.connection, ':',
        coalesce(lines.line.LineItemID, concat(lines.invoice_id, ':', lines.number))
    ) as invoice_line_key,
    lines.invoice_key,
    lines.source_system,
    lines.connection,
    lines.raw_version_id,
    'item' as line_kind,
    lines.line.Description as line_description,
    coalesce(items.item_key, lines.connection || ':' || nullif(lines.line.ItemCode, ''))
        as product_key,
    nullif(trim(lines.deal_option), '') as deal_reference,
    cast(lines.line.Quantity as decimal(18, 6)) as quantity,
    cast(lines.line.UnitAmount as decimal(38, 12)) as unit_price_amt,
    {{ xero_line_net('lines.line', 'lines.is_tax_inclusive') }} as net_amt,
    coalesce(lines.line.TaxAmount, 0) as tax_amt,
    {{ xero_line_discount('lines.line') }} as discount_amt,
    false as is_proration,
    lines.is_deleted,
    lines.observed_at,
    lines.sync_id,
    lines.position
from lines
left join items
    on lines.connection = items.connection and lines.line.ItemCode = items.item_code
where lines.line.LineAmount is not null
