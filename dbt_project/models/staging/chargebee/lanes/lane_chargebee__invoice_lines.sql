-- Grain: one row per line of the newest version of a Chargebee invoice: lines of a pending one
-- come and go. Those that the invoice does not show lie in pages of the same version.

with invoices as (
    select *
    from {{ ref('stg_chargebee__invoices') }}
    qualify
        row_number() over (
            partition by invoice_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

pages as (
    select *
    from {{ ref('stg_chargebee__invoice_line_pages') }}
    qualify
        row_number() over (
            partition by line_page_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

subscriptions as (
    select
        subscription_key,
        arg_max(deal_reference, (observed_at, sync_id, position)) as deal_reference
    from {{ ref('stg_chargebee__subscriptions') }}
    group by subscription_key
),

lines as (
    select
        invoices.* exclude (lines),
        unnest(invoices.lines) as line
    from invoices
    union all
    select
        invoices.* exclude (lines),
        unnest(pages.lines) as line
    from invoices
    inner join pages
        on
            invoices.invoice_key = pages.invoice_key
            and invoices.resource_version = pages.resource_version
    where invoices.has_more_lines
)

select
    lines.connection || ':' || lines.line.id as invoice_line_key,
    lines.invoice_key,
    lines.source_system,
    lines.connection,
    lines.raw_version_id,
    'item' as line_kind,
    lines.line.description as line_description,
    lines.connection || ':' || nullif(lines.line.entity_id, '') as product_key,
    -- An invoice of several subscriptions names none itself.
    case when lines.subscription_key is null then subscriptions.deal_reference end
        as deal_reference,
    coalesce(
        {{ try_cast_to('lines.line.quantity_in_decimal', 'decimal(18, 6)') }},
        cast(lines.line.quantity as decimal(18, 6))
    ) as quantity,
    {{ chargebee_unit_price(
        'lines.line.unit_amount', 'lines.line.unit_amount_in_decimal', 'lines.currency_code') }}
        as unit_price_amt,
    {{ chargebee_money(
        'lines.line.amount - coalesce(lines.line.discount_amount, 0) - case'
        ~ ' when lines.is_tax_inclusive then coalesce(lines.line.tax_amount, 0) else 0 end',
        'lines.currency_code') }} as net_amt,
    {{ chargebee_money('coalesce(lines.line.tax_amount, 0)', 'lines.currency_code') }} as tax_amt,
    {{ chargebee_money('coalesce(lines.line.discount_amount, 0)', 'lines.currency_code') }}
        as discount_amt,
    coalesce(lines.line.proration_mode = 'partial_term', false) as is_proration,
    lines.is_deleted,
    {{ company_date(chargebee_instant('lines.line.date_from')) }} as service_start,
    {{ chargebee_last_day('lines.line.date_from', 'lines.line.date_to') }} as service_end,
    lines.observed_at,
    lines.sync_id,
    lines.position
from lines
left join subscriptions
    on lines.connection || ':' || lines.line.subscription_id = subscriptions.subscription_key
where lines.line.id is not null
