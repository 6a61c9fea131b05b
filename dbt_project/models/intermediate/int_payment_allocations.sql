-- Grain: one row per dated change of an invoice's balance, in the invoice's currency; a
-- positive amount lowers the balance. Balance at day D = gross - sum(applied_amt) up to D.
-- Kinds: payment, prepayment, credit_note, refund, write_off, dispute, balance_credit.
-- A credit note given after payment adds credit_note + and refund / balance_credit -, which
-- cancel: the invoice stays settled while credit and repayment are both to be seen.

with invoices as (
    select *
    from {{ ref('int_invoices_current') }}
    where status <> 'draft'
),

settlements as (
    select * from {{ ref('int_invoice_settlements') }}
),

-- A credit in another currency than its invoice is an error (check B-07), not a credit.
credit_notes as (
    select credit_notes.*
    from {{ ref('int_credit_notes_current') }} as credit_notes
    inner join invoices
        on
            credit_notes.invoice_key = invoices.invoice_key
            and credit_notes.currency_code = invoices.currency_code
),

payments as (
    select
        settlements.settlement_key as allocation_key,
        settlements.invoice_key,
        settlements.payment_key,
        cast(null as varchar) as credit_note_key,
        case
            when settlements.stated_kind is not null then settlements.stated_kind
            -- What was paid before the invoice was issued was paid on account.
            when settlements.applied_date < invoices.issue_date then 'prepayment'
            else 'payment'
        end as kind,
        settlements.raw_version_id,
        settlements.settlement_basis in ('out_of_band', 'implied') as is_out_of_band,
        settlements.applied_amt,
        settlements.applied_date
    from settlements
    inner join invoices on settlements.invoice_key = invoices.invoice_key
),

named_sums as (
    select
        settlements.invoice_key,
        sum(settlements.applied_amt) as paid_amt,
        max(settlements.applied_date) as last_date,
        max_by(settlements.payment_key, settlements.applied_date) as payment_key,
        bool_and(settlements.settlement_basis = 'named') as all_named
    from settlements
    group by settlements.invoice_key
),

-- Money beyond what was due stays the customer's: it moves on to the credit balance.
overpayments as (
    select
        invoices.invoice_key || ':overpaid' as allocation_key,
        invoices.invoice_key,
        named_sums.payment_key,
        cast(null as varchar) as credit_note_key,
        'balance_credit' as kind,
        invoices.raw_version_id,
        false as is_out_of_band,
        cast(-greatest(
            invoices.overpaid_amt,
            case when named_sums.all_named then named_sums.paid_amt - invoices.gross_amt else 0 end
        ) as {{ money_type() }}) as applied_amt,
        named_sums.last_date as applied_date
    from invoices
    inner join named_sums on invoices.invoice_key = named_sums.invoice_key
    where
        invoices.overpaid_amt > 0
        or (named_sums.all_named and named_sums.paid_amt > invoices.gross_amt)
),

stated_allocations as (
    select *
    from {{ ref('int_payment_allocations_unioned') }}
    qualify
        row_number() over (
            partition by payment_allocation_key
            order by observed_at desc, sync_id desc, position desc
        ) = 1
),

stated_others as (
    select
        stated_allocations.payment_allocation_key as allocation_key,
        stated_allocations.invoice_key,
        stated_allocations.payment_key,
        stated_allocations.credit_note_key,
        case
            when stated_allocations.kind in ('refund', 'write_off', 'dispute', 'balance_credit')
                then stated_allocations.kind
            else 'credit_note'
        end as kind,
        stated_allocations.raw_version_id,
        false as is_out_of_band,
        case
            when stated_allocations.kind in ('refund', 'dispute')
                then cast(-abs(stated_allocations.applied_amt) as {{ money_type() }})
            else stated_allocations.applied_amt
        end as applied_amt,
        stated_allocations.applied_date
    from stated_allocations
    inner join invoices on stated_allocations.invoice_key = invoices.invoice_key
    where
        not stated_allocations.is_deleted
        and (
            stated_allocations.credit_note_key is not null
            or stated_allocations.kind in
            ('credit_note', 'refund', 'write_off', 'dispute', 'balance_credit')
        )
),

own_credits as (
    select credit_notes.*
    from credit_notes
    where not exists (
        select 1 from stated_others
        where
            stated_others.credit_note_key = credit_notes.credit_note_key
            and stated_others.kind = 'credit_note'
    )
),

credit_parts as (
    select
        own_credits.credit_note_key || ':' || parts.kind || ':' || parts.part as allocation_key,
        own_credits.invoice_key,
        own_credits.credit_note_key,
        parts.kind,
        parts.part,
        own_credits.raw_version_id,
        parts.part = 'out_of_band' as is_out_of_band,
        case parts.part
            when 'credited' then own_credits.gross_amt
            when 'balance' then -own_credits.credited_to_balance_amt
            else -own_credits.out_of_band_amt
        end as applied_amt,
        own_credits.issue_date as applied_date,
        own_credits.voided_date
    from own_credits
    cross join (
        values ('credit_note', 'credited'), ('balance_credit', 'balance'), ('refund', 'out_of_band')
    ) as parts (kind, part)
),

credits as (
    select
        allocation_key,
        invoice_key,
        cast(null as varchar) as payment_key,
        credit_note_key,
        kind,
        raw_version_id,
        is_out_of_band,
        cast(applied_amt as {{ money_type() }}) as applied_amt,
        applied_date
    from credit_parts
    where applied_amt <> 0
    union all
    select
        allocation_key || ':voided',
        invoice_key,
        cast(null as varchar),
        credit_note_key,
        kind,
        raw_version_id,
        is_out_of_band,
        cast(-applied_amt as {{ money_type() }}),
        voided_date
    from credit_parts
    where applied_amt <> 0 and voided_date is not null
),

{% if has_source('stripe') %}
    stripe_scales as (
        select
            currency_code,
            minor_digits
        from {{ ref('stripe_currency_scales') }}
        where valid_to is null
    ),

    refunds as (
        select
            refunds.refund_key,
            coalesce(refunds.charge_key, payments_stripe.payment_key) as charge_key,
            refunds.status,
            refunds.raw_version_id,
            {{ stripe_money('refunds.amount_minor', 'stripe_scales.minor_digits') }} as refund_amt,
            {{ company_date('refunds.created_at') }} as refund_date
        from {{ ref('stg_stripe__refunds') }} as refunds
        left join {{ ref('int_payments_stripe') }} as payments_stripe
            on
                refunds.charge_key is null
                and refunds.payment_intent_key = payments_stripe.payment_intent_key
        left join stripe_scales on refunds.currency_code = stripe_scales.currency_code
        where not refunds.is_deleted
        qualify
            row_number() over (
                partition by refunds.refund_key
                order by refunds.observed_at desc, refunds.sync_id desc, refunds.position desc
            ) = 1
    ),

    -- Which refund belongs to which credit note, and with how much of it.
    credit_refund_keys as (
        select
            notes.credit_note_key,
            notes.raw_version_id,
            unnest(notes.refund_keys) as refund_key,
            unnest(notes.refund_minors) as refund_minor,
            notes.currency_code
        from {{ ref('stg_stripe__credit_notes') }} as notes
        inner join own_credits on notes.raw_version_id = own_credits.raw_version_id
    ),

    credit_refunds as (
        select
            credit_refund_keys.credit_note_key,
            credit_refund_keys.refund_key,
            own_credits.invoice_key,
            refunds.charge_key,
            credit_refund_keys.raw_version_id,
            coalesce(refunds.status, 'succeeded') as status,
            least(
                coalesce(
                    {{ stripe_money('credit_refund_keys.refund_minor',
                        'stripe_scales.minor_digits') }},
                    own_credits.refunded_amt
                ),
                own_credits.refunded_amt
            ) as refund_amt,
            coalesce(refunds.refund_date, own_credits.issue_date) as refund_date
        from credit_refund_keys
        inner join own_credits on credit_refund_keys.credit_note_key = own_credits.credit_note_key
        left join refunds on credit_refund_keys.refund_key = refunds.refund_key
        left join stripe_scales on credit_refund_keys.currency_code = stripe_scales.currency_code
    ),

    linked_refund_sums as (
        select
            refund_key,
            sum(refund_amt) as refund_amt
        from credit_refunds
        group by refund_key
    ),

    disputes as (
        select
            disputes.dispute_key,
            coalesce(disputes.charge_key, payments_stripe.payment_key) as charge_key,
            disputes.status,
            disputes.raw_version_id,
            {{ stripe_money('disputes.amount_minor', 'stripe_scales.minor_digits') }}
                as dispute_amt,
            {{ company_date('disputes.withdrawn_at') }} as dispute_date
        from {{ ref('stg_stripe__disputes') }} as disputes
        left join {{ ref('int_payments_stripe') }} as payments_stripe
            on
                disputes.charge_key is null
                and disputes.payment_intent_key = payments_stripe.payment_intent_key
        left join stripe_scales on disputes.currency_code = stripe_scales.currency_code
        where not disputes.is_deleted
        qualify
            row_number() over (
                partition by disputes.dispute_key
                order by disputes.observed_at desc, disputes.sync_id desc, disputes.position desc
            ) = 1
    ),

    -- Money that went back on a charge without a credit note naming the invoice.
    returns as (
        select
            refunds.refund_key as return_key,
            'refund' as kind,
            refunds.charge_key,
            refunds.raw_version_id,
            refunds.refund_amt - coalesce(linked_refund_sums.refund_amt, 0) as return_amt,
            refunds.refund_date as return_date
        from refunds
        left join linked_refund_sums on refunds.refund_key = linked_refund_sums.refund_key
        where
            refunds.status = 'succeeded'
            and refunds.refund_amt > coalesce(linked_refund_sums.refund_amt, 0)
        union all
        select
            dispute_key,
            'dispute',
            charge_key,
            raw_version_id,
            dispute_amt,
            dispute_date
        from disputes
        where status = 'lost'
    ),

    -- A charge that settled several invoices is given back in the order it was applied:
    -- both sides are laid end to end per charge, and what overlaps belongs together.
    charge_ranges as (
        select
            payment_key as charge_key,
            invoice_key,
            applied_amt,
            sum(applied_amt) over (
                partition by payment_key order by applied_date, invoice_key
                rows between unbounded preceding and current row
            ) as upto_amt
        from settlements
        where applied_amt > 0
    ),

    return_ranges as (
        select
            *,
            sum(return_amt) over (
                partition by charge_key, kind order by return_date, return_key
                rows between unbounded preceding and current row
            ) as upto_amt
        from returns
    ),

    charge_returns as (
        select
            return_ranges.return_key || ':' || charge_ranges.invoice_key as allocation_key,
            charge_ranges.invoice_key,
            return_ranges.charge_key as payment_key,
            cast(null as varchar) as credit_note_key,
            return_ranges.kind,
            return_ranges.raw_version_id,
            false as is_out_of_band,
            cast(-(
                least(charge_ranges.upto_amt, return_ranges.upto_amt)
                - greatest(
                    charge_ranges.upto_amt - charge_ranges.applied_amt,
                    return_ranges.upto_amt - return_ranges.return_amt
                )
            ) as {{ money_type() }}) as applied_amt,
            return_ranges.return_date as applied_date
        from return_ranges
        inner join charge_ranges
            on
                return_ranges.charge_key = charge_ranges.charge_key
                and return_ranges.upto_amt > charge_ranges.upto_amt - charge_ranges.applied_amt
                and return_ranges.upto_amt - return_ranges.return_amt < charge_ranges.upto_amt
    ),

    note_refunds as (
        select
            credit_note_key || ':refund:' || refund_key as allocation_key,
            invoice_key,
            charge_key as payment_key,
            credit_note_key,
            'refund' as kind,
            raw_version_id,
            false as is_out_of_band,
            cast(-refund_amt as {{ money_type() }}) as applied_amt,
            refund_date as applied_date
        from credit_refunds
        where status = 'succeeded' and refund_amt <> 0
    ),

    balance_changes as (
        select
            changes.*,
            stripe_scales.minor_digits
        from {{ ref('stg_stripe__customer_balance_transactions') }} as changes
        left join stripe_scales on changes.currency_code = stripe_scales.currency_code
        where
            not changes.is_deleted
            and changes.balance_change_type in (
                'applied_to_invoice', 'unapplied_from_invoice',
                'invoice_too_small', 'invoice_too_large'
            )
        qualify
            row_number() over (
                partition by changes.balance_change_key
                order by changes.observed_at desc, changes.sync_id desc, changes.position desc
            ) = 1
    ),

    stated_balance as (
        select
            balance_changes.balance_change_key as allocation_key,
            balance_changes.invoice_key,
            cast(null as varchar) as payment_key,
            cast(null as varchar) as credit_note_key,
            'balance_credit' as kind,
            balance_changes.raw_version_id,
            false as is_out_of_band,
            {{ stripe_money('balance_changes.amount_minor', 'balance_changes.minor_digits') }}
                as applied_amt,
            {{ company_date('balance_changes.created_at') }} as applied_date
        from balance_changes
        inner join invoices on balance_changes.invoice_key = invoices.invoice_key
    ),

    -- Where the customer's ledger is not read: the balance before and after the invoice.
    derived_balance as (
        select
            invoices.invoice_key || ':balance' as allocation_key,
            invoices.invoice_key,
            cast(null as varchar) as payment_key,
            cast(null as varchar) as credit_note_key,
            'balance_credit' as kind,
            invoices.raw_version_id,
            false as is_out_of_band,
            invoices.applied_balance_amt as applied_amt,
            invoices.issue_date as applied_date
        from invoices
        where
            invoices.applied_balance_amt <> 0
            and not exists (
                select 1 from stated_balance
                where stated_balance.invoice_key = invoices.invoice_key
            )
    ),
{% endif %}

changes as (
    select * from payments
    union all
    select * from overpayments
    union all
    select * from credits
    union all
    select * from stated_others
    {% if has_source('stripe') %}
        union all
        select * from charge_returns
        union all
        select * from note_refunds
        union all
        select * from stated_balance
        union all
        select * from derived_balance
    {% endif %}
    -- A refunded part for which the source holds no refund of its own.
    union all
    select
        credit_note_key || ':refund',
        invoice_key,
        cast(null as varchar),
        credit_note_key,
        'refund',
        raw_version_id,
        false,
        cast(-refunded_amt as {{ money_type() }}),
        issue_date
    from own_credits
    where len(refund_keys) = 0 and refunded_amt <> 0
),

happened as (
    select changes.*
    from changes
    where changes.applied_date <= {{ as_of_date() }} and changes.applied_amt <> 0
),

-- A void invoice owes nothing: credits on it are taken back on the day it is voided. Money
-- on it stays and is an error (check B-06).
void_reversals as (
    select
        invoices.invoice_key || ':' || happened.kind || ':void' as allocation_key,
        invoices.invoice_key,
        cast(null as varchar) as payment_key,
        cast(null as varchar) as credit_note_key,
        happened.kind,
        any_value(invoices.raw_version_id) as raw_version_id,
        false as is_out_of_band,
        cast(-sum(happened.applied_amt) as {{ money_type() }}) as applied_amt,
        any_value(invoices.voided_date) as applied_date
    from invoices
    inner join happened on invoices.invoice_key = happened.invoice_key
    where invoices.status = 'void' and happened.kind in ('credit_note', 'balance_credit')
    group by invoices.invoice_key, happened.kind
    having sum(happened.applied_amt) <> 0
),

before_write_off as (
    select
        invoices.invoice_key,
        any_value(invoices.raw_version_id) as raw_version_id,
        any_value(invoices.written_off_date) as written_off_date,
        any_value(invoices.gross_amt)
        - coalesce(sum(happened.applied_amt) filter (
            where happened.applied_date <= invoices.written_off_date
        ), 0) as open_amt,
        coalesce(sum(happened.applied_amt) filter (
            where happened.applied_date > invoices.written_off_date
        ), 0) as recovered_amt,
        max(happened.applied_date) as last_date
    from invoices
    left join happened on invoices.invoice_key = happened.invoice_key
    where invoices.written_off_date is not null and invoices.status <> 'void'
    group by invoices.invoice_key
),

write_offs as (
    select
        invoice_key || ':write_off' as allocation_key,
        invoice_key,
        cast(null as varchar) as payment_key,
        cast(null as varchar) as credit_note_key,
        'write_off' as kind,
        raw_version_id,
        false as is_out_of_band,
        cast(open_amt as {{ money_type() }}) as applied_amt,
        written_off_date as applied_date
    from before_write_off
    where open_amt > 0
    union all
    -- Paid after all: that much of the write-off is taken back.
    select
        invoice_key || ':write_off:recovered',
        invoice_key,
        cast(null as varchar),
        cast(null as varchar),
        'write_off',
        raw_version_id,
        false,
        cast(-least(open_amt, recovered_amt) as {{ money_type() }}),
        last_date
    from before_write_off
    where open_amt > 0 and recovered_amt > 0
),

ledger as (
    select * from happened
    union all
    select * from void_reversals
    union all
    select * from write_offs
),

final as (
    select
        ledger.allocation_key as payment_allocation_key,
        ledger.invoice_key,
        ledger.payment_key,
        ledger.credit_note_key,
        ledger.kind,
        invoices.source_system,
        invoices.connection,
        ledger.raw_version_id,
        invoices.currency_code,
        ledger.applied_amt,
        ledger.is_out_of_band,
        ledger.applied_date
    from ledger
    inner join invoices on ledger.invoice_key = invoices.invoice_key
)

select * from final
