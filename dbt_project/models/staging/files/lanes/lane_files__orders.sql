-- Grain: one row per landed version of an order of a file.

select
    order_key,
    order_id,
    'files' as source_system,
    connection,
    order_number,
    coalesce(deal_key, concat(connection, ':') || deal_id) as source_deal_key,
    concat(connection, ':') || quote_id as quote_key,
    coalesce(company_key, concat(connection, ':') || company_id) as source_company_key,
    owner_email as owner_id,
    case
        when
            cancelled_at is not null or vendor_status in ('cancelled', 'canceled', 'void')
            then 'cancelled'
        when vendor_status in ('draft', 'quotation') then 'draft'
        when vendor_status in ('done', 'closed', 'completed') then 'done'
        else 'confirmed'
    end as status,
    vendor_status,
    cancelled_at is null
    and coalesce(
        vendor_status not in (
            'draft', 'quotation', 'confirmed', 'done', 'closed', 'completed',
            'cancelled', 'canceled', 'void'
        ),
        false
    ) as is_status_assumed,
    currency_code,
    coalesce(net_amt, cast(gross_amt - coalesce(tax_amt, 0) as {{ money_type() }})) as net_amt,
    coalesce(tax_amt, cast(gross_amt - net_amt as {{ money_type() }})) as tax_amt,
    coalesce(gross_amt, cast(net_amt + coalesce(tax_amt, 0) as {{ money_type() }})) as gross_amt,
    promised_date,
    ordered_at,
    cancelled_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_files__orders') }}
