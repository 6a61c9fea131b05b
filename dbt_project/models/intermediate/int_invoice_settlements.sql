-- Grain: one row per payment x invoice that it settles, money only (credits: see
-- int_payment_allocations). settlement_basis says how we know:
--   stated       the source says which payment settled which invoice
--   named        the payment names its invoice (also Stripe before 2025-03-31)
--   out_of_band  the invoice was marked paid without a payment object
--   implied      the source says paid, or states a balance, and holds no payments

with invoices as (
    select *
    from {{ ref('int_invoices_current') }}
    where status <> 'draft'
),

credits as (
    select
        invoice_key,
        currency_code,
        sum(gross_amt - refunded_amt - credited_to_balance_amt - out_of_band_amt) as lowered_amt
    from {{ ref('int_credit_notes_current') }}
    where status = 'issued'
    group by invoice_key, currency_code
),

{% if has_source('stripe') %}
    stripe_scales as (
        select
            currency_code,
            minor_digits
        from {{ ref('stripe_currency_scales') }}
        where valid_to is null
    ),

    charges as (
        select * from {{ ref('int_payments_stripe') }}
    ),

    payment_intents as (
        select *
        from {{ ref('stg_stripe__payment_intents') }}
        qualify
            row_number() over (
                partition by payment_intent_key
                order by observed_at desc, sync_id desc, position desc
            ) = 1
    ),

    {%- set columns %}
        shares.invoice_payment_key,
        shares.invoice_key,
        shares.payment_intent_key,
        shares.charge_key,
        shares.payment_record_key,
        shares.status,
        shares.currency_code,
        shares.amount_paid_minor,
        shares.paid_at,
        shares.raw_version_id,
        shares.is_deleted,
        shares.observed_at,
        shares.sync_id,
        shares.position
    {%- endset %}

    shares as (
        select *
        from (
            select {{ columns }}
            from {{ ref('stg_stripe__invoice_payments') }} as shares
            union all
            select {{ columns }}
            from {{ ref('stg_stripe__invoice_inline_payments') }} as shares
        ) as shares
        qualify
            row_number() over (
                partition by shares.invoice_payment_key
                order by shares.observed_at desc, shares.sync_id desc, shares.position desc
            ) = 1
    ),

    -- A payment intent may have failed charges before the one that took the money.
    charge_of_intent as (
        select
            charges.payment_intent_key,
            min_by(charges.payment_key, charges.paid_date) as charge_key
        from charges
        where charges.payment_intent_key is not null
        group by charges.payment_intent_key
    ),

    stripe_stated as (
        select
            shares.invoice_payment_key as settlement_key,
            shares.invoice_key,
            coalesce(
                shares.charge_key,
                charge_of_intent.charge_key,
                payment_intents.latest_charge_key,
                shares.payment_intent_key,
                shares.payment_record_key
            ) as payment_key,
            case
                when shares.payment_record_key is not null then 'out_of_band' else 'stated'
            end as settlement_basis,
            cast(null as varchar) as stated_kind,
            shares.raw_version_id,
            {{ stripe_money('shares.amount_paid_minor', 'stripe_scales.minor_digits') }}
                as applied_amt,
            {{ company_date('shares.paid_at') }} as applied_date,
            cast(null as date) as not_before_date
        from shares
        inner join invoices on shares.invoice_key = invoices.invoice_key
        left join charge_of_intent
            on shares.payment_intent_key = charge_of_intent.payment_intent_key
        left join payment_intents
            on shares.payment_intent_key = payment_intents.payment_intent_key
        left join stripe_scales on shares.currency_code = stripe_scales.currency_code
        where
            shares.status = 'paid'
            and not shares.is_deleted
            and shares.amount_paid_minor <> 0
    ),

    -- Before 2025-03-31: the charge names its invoice, or the invoice its charge.
    named_pairs as (
        select
            payment_key,
            stated_invoice_key as invoice_key
        from charges
        where stated_invoice_key is not null
        union
        select
            charge_key,
            invoice_key
        from invoices
        where charge_key is not null
        union
        select
            charges.payment_key,
            invoices.invoice_key
        from charges
        inner join invoices on charges.payment_intent_key = invoices.payment_intent_key
    ),

    stripe_named as (
        select
            charges.payment_key || ':' || invoices.invoice_key as settlement_key,
            invoices.invoice_key,
            charges.payment_key,
            'named' as settlement_basis,
            cast(null as varchar) as stated_kind,
            charges.raw_version_id,
            charges.amount_amt as applied_amt,
            charges.paid_date as applied_date,
            cast(null as date) as not_before_date
        from named_pairs
        inner join charges on named_pairs.payment_key = charges.payment_key
        inner join invoices on named_pairs.invoice_key = invoices.invoice_key
        where
            named_pairs.invoice_key not in (select stripe_stated.invoice_key from stripe_stated)
            and named_pairs.payment_key not in (
                select stripe_stated.payment_key from stripe_stated
                where stripe_stated.payment_key is not null
            )
    ),

    stripe_known as (
        select * from stripe_stated
        union all
        select * from stripe_named
    ),

    stripe_known_sums as (
        select
            invoice_key,
            sum(applied_amt) as applied_amt
        from stripe_known
        group by invoice_key
    ),

    stripe_rest as (
        select
            invoices.*,
            greatest(
                -- amount_paid counts money from outside since 2025-03-31 ...
                coalesce(invoices.source_paid_amt, 0)
                - coalesce(stripe_known_sums.applied_amt, 0),
                -- ... and did not before: then all that was due.
                case
                    when invoices.is_paid_out_of_band
                        then
                            invoices.gross_amt
                            - coalesce(credits.lowered_amt, 0)
                            - coalesce(invoices.applied_balance_amt, 0)
                            - coalesce(stripe_known_sums.applied_amt, 0)
                    else 0
                end
            ) as rest_amt
        from invoices
        left join stripe_known_sums on invoices.invoice_key = stripe_known_sums.invoice_key
        left join credits
            on
                invoices.invoice_key = credits.invoice_key
                and invoices.currency_code = credits.currency_code
        where invoices.source_system = 'stripe' and invoices.paid_date is not null
    ),

    stripe_out_of_band as (
        select
            invoice_key || ':out_of_band' as settlement_key,
            invoice_key,
            invoice_key || ':out_of_band' as payment_key,
            'out_of_band' as settlement_basis,
            cast(null as varchar) as stated_kind,
            raw_version_id,
            cast(rest_amt as {{ money_type() }}) as applied_amt,
            paid_date as applied_date,
            cast(null as date) as not_before_date
        from stripe_rest
        where rest_amt > 0
    ),
{% endif %}

other_allocations as (
    select *
    from {{ ref('int_payment_allocations_unioned') }}
    qualify
        row_number() over (
            partition by payment_allocation_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

other_payments as (
    select *
    from {{ ref('int_payments_unioned') }}
    qualify
        row_number() over (
            partition by payment_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

-- What else than money lowers an invoice: as its source applies it, else whole credit notes.
other_applied as (
    select
        invoice_key,
        sum(applied_amt) as lowered_amt
    from other_allocations
    where
        not is_deleted
        and (credit_note_key is not null or kind in ('credit_note', 'write_off', 'balance_credit'))
    group by invoice_key
),

other_credits as (
    select
        notes.invoice_key,
        notes.currency_code,
        sum(
            notes.gross_amt - notes.refunded_amt - notes.credited_to_balance_amt
            - notes.out_of_band_amt
        ) as lowered_amt
    from {{ ref('int_credit_notes_current') }} as notes
    where
        notes.status = 'issued'
        and not exists (
            select 1 from other_allocations
            where
                other_allocations.credit_note_key = notes.credit_note_key
                and not other_allocations.is_deleted
        )
    group by notes.invoice_key, notes.currency_code
),

other_stated as (
    select
        other_allocations.payment_allocation_key as settlement_key,
        other_allocations.invoice_key,
        other_allocations.payment_key,
        case when other_allocations.is_implied then 'implied' else 'stated' end
            as settlement_basis,
        coalesce(other_allocations.kind, 'payment') as stated_kind,
        other_allocations.raw_version_id,
        other_allocations.applied_amt,
        other_allocations.applied_date,
        other_allocations.not_before_date
    from other_allocations
    inner join invoices on other_allocations.invoice_key = invoices.invoice_key
    where
        not other_allocations.is_deleted
        and coalesce(other_allocations.kind, 'payment') in ('payment', 'prepayment')
        and other_allocations.credit_note_key is null
),

other_named as (
    select
        other_payments.payment_key as settlement_key,
        other_payments.invoice_key,
        other_payments.payment_key,
        'named' as settlement_basis,
        cast(null as varchar) as stated_kind,
        other_payments.raw_version_id,
        other_payments.amount_amt as applied_amt,
        other_payments.paid_date as applied_date,
        cast(null as date) as not_before_date
    from other_payments
    inner join invoices
        on
            other_payments.invoice_key = invoices.invoice_key
            and other_payments.currency_code = invoices.currency_code
    where
        not other_payments.is_deleted
        and other_payments.status = 'succeeded'
        and not exists (
            select 1 from other_allocations
            where
                other_allocations.payment_key = other_payments.payment_key
                and not other_allocations.is_deleted
        )
),

other_implied as (
    select
        invoices.invoice_key || ':implied' as settlement_key,
        invoices.invoice_key,
        invoices.invoice_key || ':implied' as payment_key,
        'implied' as settlement_basis,
        cast(null as varchar) as stated_kind,
        invoices.raw_version_id,
        cast(
            invoices.gross_amt - coalesce(other_credits.lowered_amt, 0)
            - coalesce(other_applied.lowered_amt, 0)
            - coalesce(
                invoices.source_balance_amt,
                case invoices.status when 'paid' then 0 else invoices.gross_amt end
            ) as {{ money_type() }}
        ) as applied_amt,
        -- Without a date of payment: the day on which we learnt of it.
        coalesce(invoices.paid_date, {{ company_date('invoices.observed_at') }})
            as applied_date,
        cast(null as date) as not_before_date
    from invoices
    left join other_credits
        on
            invoices.invoice_key = other_credits.invoice_key
            and invoices.currency_code = other_credits.currency_code
    left join other_applied on invoices.invoice_key = other_applied.invoice_key
    where
        -- Stripe says what was paid out of band, Chargebee states every payment, Vtiger's are
        -- read from its sums already.
        invoices.source_system not in ('chargebee', 'stripe', 'vtiger')
        and invoices.status in ('paid', 'open')
        and (invoices.source_balance_amt is not null or invoices.status = 'paid')
        and not exists (
            select 1 from other_stated where other_stated.invoice_key = invoices.invoice_key
        )
        and not exists (
            select 1 from other_named where other_named.invoice_key = invoices.invoice_key
        )
),

united as (
    select * from other_stated
    union all
    select * from other_named
    union all
    select * from other_implied
    where applied_amt > 0
    {% if has_source('stripe') %}
        union all
        select * from stripe_known
        union all
        select * from stripe_out_of_band
    {% endif %}
),

final as (
    select *
    from united
    where applied_date <= {{ as_of_date() }}
)

select * from final
