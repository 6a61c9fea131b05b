-- Grain: one row per landed version of a Stripe credit note; amounts positive, in major units.

with stripe_scales as (
    select
        currency_code,
        minor_digits
    from {{ ref('stripe_currency_scales') }}
    where valid_to is null
),

refunds as (
    select
        refund_key,
        amount_minor
    from {{ ref('stg_stripe__refunds') }}
    where not is_deleted
    qualify
        row_number() over (
            partition by refund_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

stripe_notes as (
    select
        notes.*,
        stripe_scales.minor_digits,
        least(
            notes.total_minor,
            coalesce(
                notes.refunded_minor,
                refunds.amount_minor,
                case
                    -- The refund is not known here: all that was not settled otherwise.
                    when
                        len(notes.refund_keys) > 0
                        and notes.customer_balance_transaction_id is null
                        then notes.total_minor - coalesce(notes.out_of_band_minor, 0)
                end,
                0
            )
        ) as refunded_part_minor
    from {{ ref('stg_stripe__credit_notes') }} as notes
    left join stripe_scales on notes.currency_code = stripe_scales.currency_code
    left join refunds on notes.refund_keys[1] = refunds.refund_key
),

stripe_parts as (
    select
        *,
        coalesce(
            pre_payment_minor,
            case
                when
                    refunded_part_minor = 0 and coalesce(out_of_band_minor, 0) = 0
                    and customer_balance_transaction_id is null then total_minor
                else 0
            end
        ) as pre_payment_part_minor,
        coalesce(out_of_band_minor, 0) as out_of_band_part_minor
    from stripe_notes
)

select
    credit_note_key,
    invoice_key,
    customer_key,
    source_system,
    connection,
    raw_version_id,
    credit_note_number,
    case status when 'void' then 'void' else 'issued' end as status,
    reason,
    currency_code,
    refund_keys,
    {{ stripe_money('coalesce(total_excluding_tax_minor, total_minor - '
        ~ 'coalesce(tax_minor, 0))', 'minor_digits') }} as net_amt,
    {{ stripe_money('coalesce(tax_minor, total_minor - '
        ~ 'coalesce(total_excluding_tax_minor, total_minor))', 'minor_digits') }}
        as tax_amt,
    {{ stripe_money('total_minor', 'minor_digits') }} as gross_amt,
    {{ stripe_money('pre_payment_part_minor', 'minor_digits') }} as pre_payment_amt,
    {{ stripe_money('refunded_part_minor', 'minor_digits') }} as refunded_amt,
    -- The remainder of what came after payment went to the customer's balance.
    {{ stripe_money('total_minor - pre_payment_part_minor - refunded_part_minor'
        ~ ' - out_of_band_part_minor', 'minor_digits') }} as credited_to_balance_amt,
    {{ stripe_money('out_of_band_part_minor', 'minor_digits') }} as out_of_band_amt,
    is_deleted,
    {{ company_date('issued_at') }} as issue_date,
    {{ company_date('voided_at') }} as voided_date,
    observed_at,
    sync_id,
    position
from stripe_parts
