-- Grain: one row per line of a quote or, where the source keeps lines on the deal, per line of a deal; newest state.

select
    cast(null as varchar) as quote_line_key,
    cast(null as varchar) as line_id,
    cast(null as varchar) as quote_key,
    cast(null as varchar) as deal_key,
    cast(null as varchar) as product_key,
    cast(null as varchar) as product_name,
    cast(null as varchar) as sku,
    cast(null as varchar) as billing_interval,
    cast(null as varchar) as currency_code,
    cast(null as decimal(18, 6)) as quantity,
    cast(null as decimal(38, 12)) as unit_price_amt,
    cast(null as decimal(18, 4)) as discount_amt,
    cast(null as decimal(18, 4)) as net_amt,
    cast(null as decimal(18, 4)) as tax_amt,
    cast(null as bigint) as term_months,
    cast(null as boolean) as is_recurring,
    cast(null as date) as service_start,
    cast(null as date) as service_end,
    cast(null as boolean) as is_deleted,
    cast(null as varchar) as source_system,
    cast(null as varchar) as connection,
    cast(null as varchar) as raw_version_id
where false
