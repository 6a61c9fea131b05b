-- Grain: one row per line of a Zoho invoice x version of the invoice since the line was first
-- seen: a line that a version leaves out is gone. What is taken off below the lines is the
-- invoice's, not theirs.

with invoices as (
    select * from {{ ref('stg_zoho__invoices') }}
),

home_currencies as (
    {{ zoho_home_currencies() }}
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

versions as (
    select
        invoices.* exclude (currency_code, discount_amount, tax_amount),
        coalesce(invoices.currency_code, home_currencies.currency_code) as currency_code,
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
    left join home_currencies on invoices.connection = home_currencies.connection
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
    concat(connection, ':', line_id) as invoice_line_key,
    invoice_key,
    'zoho' as source_system,
    connection,
    raw_version_id,
    'item' as line_kind,
    coalesce(line.Product_Name.name, line.Description) as line_description,
    connection || ':' || line.Product_Name.id as product_key,
    cast(line.Quantity as decimal(18, 6)) as quantity,
    line.List_Price as unit_price_amt,
    {{ round_money('full_price - discount', 'currency_code') }} as net_amt,
    {{ round_money('coalesce(line.Tax, 0)', 'currency_code') }} as tax_amt,
    {{ round_money('discount', 'currency_code') }} as discount_amt,
    false as is_proration,
    is_line_gone as is_deleted,
    observed_at,
    sync_id,
    position
from priced
