-- Grain: one row per landed version of a payment of a supplier's invoice of a file.

select
    bill_payment_key,
    'files' as source_system,
    connection,
    concat(connection, ':') || bill_id as bill_key,
    case when kind in ('credit', 'credit_note') then 'credit' else 'payment' end as kind,
    currency_code,
    paid_amt,
    paid_date,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_files__bill_payments') }}
