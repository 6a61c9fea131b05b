-- Grain: one row per landed version of a Chargebee payment. Which invoices it settled is said by
-- the invoices.

select
    transaction_key as payment_key,
    source_system,
    connection,
    raw_version_id,
    customer_key,
    payment_method as method,
    case status
        when 'success' then 'succeeded'
        when 'in_progress' then 'pending'
        when 'voided' then 'void'
        else 'failed'
    end as status,
    currency_code,
    currency_code as settled_currency_code,
    {{ chargebee_money('amount_minor', 'currency_code') }} as amount_amt,
    is_deleted,
    {{ company_date('transacted_at') }} as paid_date,
    observed_at,
    sync_id,
    position
from {{ ref('stg_chargebee__transactions') }}
where transaction_type = 'payment'
