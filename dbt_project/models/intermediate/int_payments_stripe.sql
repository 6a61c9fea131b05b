-- Grain: one row per Stripe charge that took money (succeeded and captured) by the as-of
-- date, with its fee and what was settled, in the settled currency.
{{ config(enabled=has_source('stripe')) }}

with stripe_scales as (
    select
        currency_code,
        minor_digits
    from {{ ref('stripe_currency_scales') }}
    where valid_to is null
),

charges as (
    select *
    from {{ ref('stg_stripe__charges') }}
    qualify
        row_number() over (
            partition by charge_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

ledger_entries as (
    select *
    from {{ ref('stg_stripe__balance_transactions') }}
    where not is_deleted
    qualify
        row_number() over (
            partition by balance_transaction_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

settled as (
    select
        charges.*,
        coalesce(ledger_entries.settled_currency_code, charges.settled_currency_code)
            as any_settled_currency_code,
        coalesce(ledger_entries.fee_minor, charges.fee_minor) as any_fee_minor,
        coalesce(ledger_entries.settled_minor, charges.settled_minor) as any_settled_minor,
        coalesce(ledger_entries.settled_net_minor, charges.settled_net_minor)
            as any_settled_net_minor
    from charges
    left join ledger_entries
        on charges.balance_transaction_key = ledger_entries.balance_transaction_key
),

-- Open or lost: the charge's own mark stays even when a dispute was won.
disputed as (
    select distinct charge_key
    from (
        select *
        from {{ ref('stg_stripe__disputes') }}
        qualify
            row_number() over (
                partition by dispute_key
                order by observed_at desc, sync_id desc, position desc
            ) = 1
    ) as disputes
    where
        not is_deleted
        and charge_key is not null
        and status in (
            'needs_response', 'under_review', 'warning_needs_response', 'warning_under_review',
            'lost'
        )
),

final as (
    select
        settled.charge_key as payment_key,
        settled.source_system,
        settled.connection,
        settled.raw_version_id,
        settled.customer_key,
        settled.payment_intent_key,
        settled.invoice_key as stated_invoice_key,
        -- Card details never land (docs/sources/stripe.md), so there is no finer word.
        'charge' as method,
        settled.currency_code,
        settled.any_settled_currency_code as settled_currency_code,
        {{ stripe_money('coalesce(settled.amount_captured_minor, settled.amount_minor)',
            'charged_scales.minor_digits') }} as amount_amt,
        {{ stripe_money('settled.any_fee_minor', 'settled_scales.minor_digits') }} as fee_amt,
        {{ stripe_money('settled.any_settled_minor', 'settled_scales.minor_digits') }}
            as settled_gross_amt,
        {{ stripe_money('settled.any_settled_net_minor', 'settled_scales.minor_digits') }}
            as settled_net_amt,
        disputed.charge_key is not null as is_disputed,
        {{ company_date('settled.created_at') }} as paid_date
    from settled
    left join disputed on settled.charge_key = disputed.charge_key
    left join stripe_scales as charged_scales
        on settled.currency_code = charged_scales.currency_code
    left join stripe_scales as settled_scales
        on settled.any_settled_currency_code = settled_scales.currency_code
    where
        settled.status = 'succeeded'
        and settled.is_captured
        and not settled.is_deleted
        and settled.created_at <= {{ as_of_at() }}
)

select * from final
