-- Grain: one row per landed version of an invoice line of a file.

select
    invoice_line_key,
    invoice_key,
    source_system,
    connection,
    raw_version_id,
    'item' as line_kind,
    description as line_description,
    connection || ':' || product_id as product_key,
    deal_ref as deal_reference,
    quantity,
    unit_price_amt,
    net_amt,
    coalesce(tax_amt, 0) as tax_amt,
    cast(0 as {{ money_type() }}) as discount_amt,
    is_proration,
    is_deleted,
    service_start_date as service_start,
    service_end_date as service_end,
    observed_at,
    sync_id,
    position
from {{ ref('stg_files__invoice_lines') }}
