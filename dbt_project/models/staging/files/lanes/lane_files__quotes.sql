-- Grain: one row per landed version of a quote of a file.

select
    quote_key,
    coalesce(quote_id, split_part(raw_version_id, ':', 3)) as quote_id,
    'files' as source_system,
    connection,
    quote_number,
    case when deal_id is not null then [concat(connection, ':', deal_id)] else [] end as source_deal_keys,
    case when company_id is not null then [concat(connection, ':', company_id)] else [] end as source_company_keys,
    cast([] as varchar[]) as source_line_keys,
    case
        when accepted_date is not null then 'accepted'
        when vendor_status in (
            'draft', 'pending', 'sent', 'accepted', 'rejected', 'expired', 'void'
        ) then vendor_status
        else 'sent'
    end
        as status,
    vendor_status,
    currency_code,
    coalesce(net_amount, cast(gross_amount - tax_amount as {{ money_type() }})) as net_amt,
    tax_amount as tax_amt,
    coalesce(gross_amount, cast(net_amount + tax_amount as {{ money_type() }})) as gross_amt,
    coalesce(issue_date, {{ company_date('created_at') }}) as quote_date,
    valid_until,
    accepted_date,
    created_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_files__quotes') }}
