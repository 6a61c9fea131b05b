-- Grain: one row per line of an invoice, plus one line per invoice for what the lines do not
-- explain, so that net and tax of the lines always add up to the invoice.

with invoices as (
    select * from {{ ref('int_invoices_valued') }}
),

lines as (
    select * from {{ ref('int_invoice_lines_current') }}
),

line_sums as (
    select
        invoice_key,
        sum(net_amt) as net_amt,
        sum(tax_amt) as tax_amt
    from lines
    group by invoice_key
),

differences as (
    select
        invoices.invoice_key || ':rest' as invoice_line_key,
        invoices.invoice_key,
        invoices.source_system,
        invoices.connection,
        invoices.raw_version_id,
        case
            when line_sums.invoice_key is null then 'whole_invoice'
            else 'rounding_or_unexplained'
        end as line_kind,
        cast(null as varchar) as line_description,
        cast(null as varchar) as product_key,
        cast(null as varchar) as deal_reference,
        cast(null as decimal(18, 6)) as quantity,
        cast(null as decimal(38, 12)) as unit_price_amt,
        cast(invoices.net_amt - coalesce(line_sums.net_amt, 0) as {{ money_type() }}) as net_amt,
        cast(invoices.tax_amt - coalesce(line_sums.tax_amt, 0) as {{ money_type() }}) as tax_amt,
        cast(0 as {{ money_type() }}) as discount_amt,
        false as is_proration,
        invoices.service_start,
        invoices.service_end
    from invoices
    left join line_sums on invoices.invoice_key = line_sums.invoice_key
    where
        line_sums.invoice_key is null
        or invoices.net_amt <> line_sums.net_amt
        or invoices.tax_amt <> line_sums.tax_amt
),

all_lines as (
    select * from lines
    union all
    select * from differences
),

final as (
    select
        all_lines.invoice_line_key,
        all_lines.invoice_key,
        all_lines.line_kind,
        all_lines.line_description,
        all_lines.product_key,
        all_lines.deal_reference,
        invoices.currency_code,
        all_lines.source_system,
        all_lines.connection,
        all_lines.raw_version_id,
        all_lines.quantity,
        all_lines.unit_price_amt,
        all_lines.net_amt,
        all_lines.tax_amt,
        all_lines.discount_amt,
        {{ convert_money('all_lines.net_amt', 'invoices.rate_to_rc',
            "'" ~ var('reporting_currency') ~ "'") }} as net_rc,
        all_lines.is_proration,
        false as is_deleted,
        all_lines.service_start,
        all_lines.service_end
    from all_lines
    inner join invoices on all_lines.invoice_key = invoices.invoice_key
)

select * from final
