-- Grain: one row per landed version of a Stripe invoice; money in major units.

with stripe_scales as (
    select * from {{ ref('stripe_currency_scales') }}
),

scaled_invoices as (
    select
        invoices.*,
        stripe_scales.minor_digits
    from {{ ref('stg_stripe__invoices') }} as invoices
    left join stripe_scales
        on
            invoices.currency_code = stripe_scales.currency_code
            and cast(invoices.created_at as date) >= stripe_scales.valid_from
            and (
                stripe_scales.valid_to is null
                or cast(invoices.created_at as date) < stripe_scales.valid_to
            )
)

select
    invoice_key,
    source_system,
    connection,
    raw_version_id,
    invoice_id,
    invoice_number,
    case status when 'uncollectible' then 'written_off' else status end as status,
    case
        when lower(stated_kind) in ('deposit', 'prepayment', 'down_payment') then 'deposit'
        when lower(stated_kind) in ('standard', 'recurring', 'self_serve')
            then lower(stated_kind)
        when lower(channel) in ('self_serve', 'self-serve', 'checkout') then 'self_serve'
        when billing_reason like 'subscription%' then 'recurring'
        else 'standard'
    end as kind,
    customer_key,
    customer_name,
    customer_email,
    subscription_key,
    quote_key,
    po_number,
    nullif(memo, '') as memo,
    deal_reference,
    subscription_deal_reference,
    superseded_by,
    charge_key,
    payment_intent_key,
    currency_code,
    -- Before total_excluding_tax existed: total less all taxes, the inclusive ones too.
    {{ stripe_money('coalesce(total_excluding_tax_minor, total_minor - '
        ~ 'coalesce(tax_minor, 0))', 'minor_digits') }} as net_amt,
    {{ stripe_money('coalesce(tax_minor, total_minor - '
        ~ 'coalesce(total_excluding_tax_minor, total_minor))', 'minor_digits') }}
        as tax_amt,
    {{ stripe_money('total_minor', 'minor_digits') }} as gross_amt,
    {{ stripe_money('coalesce(discount_minor, 0)', 'minor_digits') }} as discount_amt,
    {{ stripe_money('coalesce(amount_shipping_minor, 0)', 'minor_digits') }}
        as shipping_amt,
    {{ stripe_money('amount_remaining_minor', 'minor_digits') }} as source_balance_amt,
    {{ stripe_money('amount_paid_minor', 'minor_digits') }} as source_paid_amt,
    {{ stripe_money('coalesce(amount_overpaid_minor, 0)', 'minor_digits') }}
        as overpaid_amt,
    -- A negative customer balance is credit; using it up lowers what is due.
    {{ stripe_money('ending_balance_minor - starting_balance_minor', 'minor_digits') }}
        as applied_balance_amt,
    cast(null as decimal(18, 9)) as document_rate_to_rc,
    is_paid_out_of_band,
    billing_reason = 'subscription_create' as is_subscription_start,
    has_more_lines,
    is_deleted,
    {{ company_date('issued_at') }} as issue_date,
    coalesce(
        {{ company_date('due_at') }},
        -- Charged at once: due on the day of issue.
        case
            when collection_method = 'charge_automatically'
                then {{ company_date('issued_at') }}
        end
    ) as due_date,
    {{ company_date('voided_at') }} as voided_date,
    {{ company_date('written_off_at') }} as written_off_date,
    {{ company_date('paid_at') }} as paid_date,
    observed_at,
    sync_id,
    position
from scaled_invoices
