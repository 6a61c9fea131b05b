-- Grain: one row per landed version of a supplier's invoice of a file.

select
    bill_key,
    bill_id,
    'files' as source_system,
    connection,
    bill_number,
    concat(connection, ':') || supplier_id as supplier_key,
    supplier_name,
    category,
    case
        when
            voided_date is not null or vendor_status in ('void', 'voided', 'cancelled', 'canceled')
            then 'void'
        when vendor_status = 'draft' then 'draft'
        else 'issued'
    end as status,
    currency_code,
    coalesce(net_amt, cast(gross_amt - coalesce(tax_amt, 0) as {{ money_type() }})) as net_amt,
    coalesce(tax_amt, cast(gross_amt - net_amt as {{ money_type() }}), 0) as tax_amt,
    gross_amt,
    document_rate_to_rc,
    issue_date,
    due_date,
    voided_date,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_files__bills') }}
