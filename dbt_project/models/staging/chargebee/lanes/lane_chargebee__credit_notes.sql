-- Grain: one row per landed version of a Chargebee credit note; amounts positive, in major
-- units.
--
-- An adjustment lowers what was due; what was taken off the invoice again is the customer's.
-- A refundable or store note is refunded or becomes the customer's balance. No credits are the
-- notes by which Chargebee books a write-off, a void invoice or a chargeback: these are said by
-- the invoice, or are a dispute (lane_chargebee__payment_allocations).

with notes as (
    select
        *,
        least(
            coalesce({{ list_total('refunds', 'one.applied_amount') }}, 0),
            total_minor
        ) as refunded_minor
    from {{ ref('stg_chargebee__credit_notes') }}
),

parts as (
    select
        *,
        case
            when note_type = 'adjustment' then total_minor - amount_available_minor else 0
        end as lowered_minor
    from notes
    where
        coalesce(reason, '') not in ('write_off', 'invoice_void')
        and not coalesce(reason = 'chargeback' and refunded_minor = total_minor, false)
)

select
    credit_note_key,
    invoice_key,
    customer_key,
    source_system,
    connection,
    raw_version_id,
    credit_note_id as credit_note_number,
    case status when 'voided' then 'void' else 'issued' end as status,
    reason,
    currency_code,
    list_transform(refunds, lambda one: concat(connection, ':', one.txn_id)) as refund_keys,
    {{ chargebee_money('total_minor - tax_minor', 'currency_code') }} as net_amt,
    {{ chargebee_money('tax_minor', 'currency_code') }} as tax_amt,
    {{ chargebee_money('total_minor', 'currency_code') }} as gross_amt,
    {{ chargebee_money('lowered_minor', 'currency_code') }} as pre_payment_amt,
    {{ chargebee_money('refunded_minor', 'currency_code') }} as refunded_amt,
    {{ chargebee_money('total_minor - lowered_minor - refunded_minor', 'currency_code') }}
        as credited_to_balance_amt,
    cast(0 as {{ money_type() }}) as out_of_band_amt,
    is_deleted,
    {{ company_date('issued_at') }} as issue_date,
    {{ company_date('voided_at') }} as voided_date,
    observed_at,
    sync_id,
    position
from parts
