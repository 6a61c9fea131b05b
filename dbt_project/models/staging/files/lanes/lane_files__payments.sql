-- Grain: one row per landed version of a payment of a file.

select
    payment_key,
    source_system,
    connection,
    raw_version_id,
    connection || ':' || company_id as customer_key,
    invoice_key,
    method,
    case
        when status in ('failed', 'pending', 'void') then status
        when status in ('canceled', 'cancelled') then 'canceled'
        else 'succeeded'
    end as status,
    currency_code,
    settled_currency_code,
    amount_amt,
    fee_amt,
    settled_net_amt,
    is_deleted,
    paid_date,
    observed_at,
    sync_id,
    position
from {{ ref('stg_files__payments') }}
