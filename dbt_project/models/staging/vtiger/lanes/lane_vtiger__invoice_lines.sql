-- Grain: one row per line of a Vtiger invoice x version of the invoice since the line was first
-- seen: an edit writes all lines anew, so that a line left out is one that is gone. What is
-- charged or taken off below the lines is the invoice's, not theirs.

with invoices as (
    select * from {{ ref('stg_vtiger__invoices') }}
),

listed as (
    select
        invoice_key,
        raw_version_id,
        observed_at,
        sync_id,
        position,
        unnest(lines) as line
    from invoices
    where change = 'upsert'
),

known as (
    select
        invoice_key,
        line.id as line_id,
        arg_max(line, (observed_at, sync_id, position)) as last_shown,
        min((observed_at, sync_id, position)) as first_shown
    from listed
    where line.id is not null
    group by invoice_key, line.id
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

versions as (
    select
        invoices.*,
        currencies.currency_code,
        known.line_id,
        listed.line is null or invoices.is_deleted as is_line_gone,
        coalesce(listed.line, known.last_shown) as line
    from invoices
    inner join known
        on
            invoices.invoice_key = known.invoice_key
            and (invoices.observed_at, invoices.sync_id, invoices.position) >= known.first_shown
    left join listed
        on
            invoices.raw_version_id = listed.raw_version_id
            and known.line_id = listed.line.id
    left join currencies
        on
            invoices.connection = currencies.connection
            and invoices.currency_id = currencies.currency_id
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
        ) * cast(coalesce(line.discount_percent, 0) / 100 as decimal(9, 6)) as discount,
        -- Per cent; where the invoice is taxed as a whole the tax is its own and no line's.
        case
            when is_taxed_by_line
                then coalesce(line.tax1, 0) + coalesce(line.tax2, 0) + coalesce(line.tax3, 0)
            else 0
        end as tax_rate
    from versions
),

netted as (
    select
        *,
        {{ round_money('full_price - discount', 'currency_code') }} as line_net
    from priced
)

select
    concat(connection, ':', line_id) as invoice_line_key,
    invoice_key,
    'vtiger' as source_system,
    connection,
    raw_version_id,
    'item' as line_kind,
    coalesce(line.product_name, line.comment) as line_description,
    connection || ':' || line.productid as product_key,
    cast(line.quantity as decimal(18, 6)) as quantity,
    line.listprice as unit_price_amt,
    line_net as net_amt,
    {{ round_money('cast(line_net as decimal(38, 4)) * cast(tax_rate * 0.01 as decimal(10, 8))',
        'currency_code') }} as tax_amt,
    {{ round_money('discount', 'currency_code') }} as discount_amt,
    false as is_proration,
    is_line_gone as is_deleted,
    observed_at,
    sync_id,
    position
from netted
