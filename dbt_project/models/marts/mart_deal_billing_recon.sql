-- Grain: one row per deal that is or was won, or has an invoice, and one row per invoice (or
-- part of one) that belongs to no deal; as of one day. Every cent of every billed invoice is
-- in exactly one row.

{{ config(in_parts_of='fct_deal', in_parts_rows=0.4) }}

{% set recon_key = "coalesce(deal_key, 'invoice:' || invoice_key)" %}

with deals as (
    select * from {{ ref('fct_deal') }}
    where {{ is_in_part('deal_key') }}
),

bookings as (
    select * from {{ ref('int_invoice_deal_bookings') }}
    where {{ is_in_part('deal_key') }}
),

links as (
    select *
    from {{ ref('bridge_deal_invoice') }}
    where is_accepted
),

invoices as (
    select * from {{ ref('fct_invoice') }}
),

shares as (
    select * from {{ ref('int_invoice_shares') }}
),

events as (
    select * from {{ ref('int_invoice_billing_events') }}
),

schedules as (
    select * from {{ ref('int_invoice_schedules') }}
    where {{ is_in_part('deal_key') }}
),

-- A row's subject: a deal, or an invoice's part that belongs to none.
keyed_shares as (
    select
        {{ recon_key }} as recon_key,
        *
    from shares
    where {{ is_in_part(recon_key) }}
),

billed as (
    select
        {{ recon_key }} as recon_key,
        sum(case when event_kind in ('issued', 'voided') then net_deal_amt else 0 end)
            as invoiced_net_amt,
        -sum(case when event_kind in ('issued', 'voided') then 0 else net_deal_amt end)
            as credited_net_amt,
        sum(net_rc) as billed_net_rc,
        sum(net_at_deal_rate_rc) as billed_at_deal_rate_rc,
        max(deal_currency_code) as currency_code
    from events
    where {{ is_in_part(recon_key) }}
    group by {{ recon_key }}
),

-- What was settled of each invoice, by kind, and whether it is still open.
settled as (
    select
        invoice_key,
        sum(case when kind in ('payment', 'prepayment') then applied_amt else 0 end) as paid_amt,
        -sum(case when kind = 'refund' then applied_amt else 0 end) as refunded_amt,
        sum(case when kind = 'write_off' then applied_amt else 0 end) as written_off_amt,
        -sum(case when kind = 'dispute' then applied_amt else 0 end) as disputed_amt,
        max(case when kind in ('payment', 'prepayment') then applied_date end) as last_paid_date
    from {{ ref('fct_payment_allocation') }}
    group by invoice_key
),

-- One factor from the invoice's currency to the row's: 1 unless a deal is billed in another.
factors as (
    select
        {{ recon_key }} as recon_key,
        invoice_key,
        max(case
            when deal_currency_code = currency_code or net_amt = 0 then 1.0
            else cast(net_deal_amt as double) / cast(net_amt as double)
        end) as to_row_currency,
        max(deal_currency_code) as row_currency_code
    from events
    where event_kind = 'issued' and {{ is_in_part(recon_key) }}
    group by {{ recon_key }}, invoice_key
),

money as (
    select
        keyed_shares.recon_key,
        count(distinct case when invoices.status <> 'void' then invoices.invoice_key end)
            as n_invoices,
        min(case when invoices.status <> 'void' then invoices.issue_date end)
            as first_invoice_date,
        min(case when invoices.balance_amt > 0 then invoices.due_date end) as first_due_date,
        sum({{ share_of('coalesce(settled.paid_amt, 0)') }}) as paid_gross_amt,
        sum({{ share_of('coalesce(settled.refunded_amt, 0)') }}) as refunded_gross_amt,
        sum({{ share_of('coalesce(settled.written_off_amt, 0)') }}) as written_off_gross_amt,
        sum({{ share_of('coalesce(settled.disputed_amt, 0)') }}) as disputed_gross_amt,
        sum({{ share_of('invoices.balance_amt') }}) as outstanding_gross_amt,
        sum({{ share_of('invoices.overpaid_amt') }}) as overpaid_gross_amt,
        max(settled.last_paid_date) as last_paid_date,
        bool_or(coalesce(invoices.is_disputed, false)) as is_disputed,
        bool_or(invoices.currency_code <> factors.row_currency_code) as has_currency_mismatch,
        any_value(invoices.source_system) as source_system,
        any_value(invoices.connection) as connection,
        any_value(invoices.raw_version_id) as raw_version_id
    from keyed_shares
    inner join invoices on keyed_shares.invoice_key = invoices.invoice_key
    inner join factors
        on
            keyed_shares.recon_key = factors.recon_key
            and keyed_shares.invoice_key = factors.invoice_key
    left join settled on keyed_shares.invoice_key = settled.invoice_key
    group by keyed_shares.recon_key
),

deal_counts as (
    select
        invoice_key,
        count(*) as n_deals
    from links
    group by invoice_key
),

link_flags as (
    select
        links.deal_key,
        min(links.confidence) as min_confidence,
        bool_or(deal_counts.n_deals > 1) as has_several_deals
    from links
    inner join deal_counts on links.invoice_key = deal_counts.invoice_key
    group by links.deal_key
),

-- Which subscriptions and customers a deal started: later invoices of those are follow-ups.
started_subscriptions as (
    select distinct invoices.subscription_key
    from links
    inner join invoices on links.invoice_key = invoices.invoice_key
    where invoices.subscription_key is not null
),

unlinked_classes as (
    select
        'invoice:' || invoices.invoice_key as recon_key,
        case
            when invoices.kind = 'self_serve' then 'self_serve'
            when started_subscriptions.subscription_key is not null then 'recurring_follow_up'
            when invoices.kind = 'recurring' then 'recurring_follow_up'
            else 'unmatched'
        end as unlinked_class
    from invoices
    left join started_subscriptions
        on invoices.subscription_key = started_subscriptions.subscription_key
),

subjects as (
    select
        deals.deal_key as recon_key,
        deals.deal_key,
        cast(null as varchar) as invoice_key
    from deals
    inner join bookings on deals.deal_key = bookings.deal_key
    left join money on deals.deal_key = money.recon_key
    where
        money.recon_key is not null
        or (not deals.is_deleted and not deals.is_excluded)
    union all
    select
        keyed_shares.recon_key,
        max(keyed_shares.deal_key),
        max(case when keyed_shares.deal_key is null then keyed_shares.invoice_key end)
    from keyed_shares
    left join deals on keyed_shares.deal_key = deals.deal_key
    where deals.deal_key is null
    group by keyed_shares.recon_key
),

measured as (
    select
        subjects.recon_key,
        subjects.deal_key,
        subjects.invoice_key,
        deals.deal_key is null or deals.is_deleted as is_gone,
        deals.company_key as deal_company_key,
        deals.owner_user_key,
        deals.pipeline_key,
        deals.status as deal_status,
        deals.measure,
        deals.n_reopened,
        deals.first_won_at,
        deals.source_system as deal_source_system,
        deals.connection as deal_connection,
        deals.raw_version_id as deal_raw_version_id,
        coalesce(bookings.currency_code, billed.currency_code, deals.currency_code)
            as currency_code,
        case when subjects.deal_key is not null then bookings.booked_net_amt end
            as booked_net_amt,
        bookings.booked_net_rc,
        coalesce(bookings.is_tax_basis_unknown, false) as is_tax_basis_unknown,
        bookings.won_date,
        greatest(bookings.won_date, deals.service_start) as billable_from_date,
        schedules.n_instalments,
        schedules.interval_months,
        schedules.first_due_date as first_instalment_date,
        coalesce(billed.invoiced_net_amt, 0) as invoiced_net_amt,
        coalesce(billed.credited_net_amt, 0) as credited_net_amt,
        coalesce(billed.billed_net_rc, 0) as billed_net_rc,
        coalesce(billed.billed_net_rc, 0) - coalesce(billed.billed_at_deal_rate_rc, 0)
            as variance_fx_rc,
        money.n_invoices,
        money.first_invoice_date,
        money.first_due_date,
        money.paid_gross_amt,
        money.refunded_gross_amt,
        money.written_off_gross_amt,
        money.disputed_gross_amt,
        money.outstanding_gross_amt,
        money.overpaid_gross_amt,
        money.last_paid_date,
        money.is_disputed,
        money.has_currency_mismatch,
        money.source_system,
        money.connection,
        money.raw_version_id,
        link_flags.min_confidence,
        coalesce(link_flags.has_several_deals, false) as has_several_deals
    from subjects
    left join deals on subjects.deal_key = deals.deal_key
    left join bookings on subjects.deal_key = bookings.deal_key
    left join schedules on subjects.deal_key = schedules.deal_key
    left join billed on subjects.recon_key = billed.recon_key
    left join money on subjects.recon_key = money.recon_key
    left join link_flags on subjects.deal_key = link_flags.deal_key
),

judged as (
    select
        measured.*,
        invoiced_net_amt - credited_net_amt as billed_net_amt,
        {{ days_between('billable_from_date', as_of_date()) }} as days_billable,
        case
            when deal_key is null then null
            else {{ recon_tolerance('coalesce(booked_net_amt, 0)', 'currency_code') }}
        end as tolerance_amt,
        case
            when deal_key is null or booked_net_amt is null then null
            when coalesce(deal_status, '') <> 'won' or is_gone then 0
            when n_instalments is null
                then case
                    when
                        {{ days_between('billable_from_date', as_of_date()) }}
                        > {{ var('invoice_grace_days') }} then booked_net_amt
                    else 0
                end
            else {{ round_money(
                'cast(cast(booked_net_amt as double) * least(n_instalments, '
                ~ instalments_due('first_instalment_date', 'interval_months')
                ~ ') / n_instalments as decimal(38, 9))',
                'currency_code') }}
        end as expected_billed_to_date_amt
    from measured
),

decided as (
    select
        judged.*,
        coalesce(booked_net_amt, 0) as known_booked_amt,
        case
            when deal_key is null then 'unlinked_invoice'
            when is_gone and billed_net_amt <> 0 then 'orphaned'
            when coalesce(deal_status, '') <> 'won' and abs(billed_net_amt) > tolerance_amt
                then 'billed_not_won'
            when
                (booked_net_amt = 0 or measure in ('free', 'not_billable'))
                and abs(billed_net_amt) <= tolerance_amt then 'not_billable'
            when coalesce(n_invoices, 0) = 0 and days_billable <= {{ var('invoice_grace_days') }}
                then 'unbilled_in_grace'
            when coalesce(n_invoices, 0) = 0 then 'unbilled_late'
            when invoiced_net_amt > tolerance_amt and billed_net_amt <= tolerance_amt
                then 'reversed'
            when billed_net_amt > coalesce(booked_net_amt, 0) + tolerance_amt then 'over_billed'
            when abs(billed_net_amt - booked_net_amt) <= tolerance_amt then 'fully_billed'
            when billed_net_amt >= expected_billed_to_date_amt - tolerance_amt
                then 'partly_billed_on_plan'
            else 'partly_billed_behind'
        end as billing_status,
        case
            when coalesce(n_invoices, 0) = 0 then null
            when is_disputed then 'disputed'
            when written_off_gross_amt > 0 then 'written_off'
            when refunded_gross_amt > 0 and refunded_gross_amt >= paid_gross_amt then 'refunded'
            when overpaid_gross_amt > 0 or outstanding_gross_amt < 0 then 'overpaid'
            when outstanding_gross_amt = 0 then 'paid'
            when paid_gross_amt > 0 then 'part_paid'
            when coalesce(first_due_date, {{ as_of_date() }}) >= {{ as_of_date() }} then 'not_due'
            else 'unpaid'
        end as payment_status
    from judged
),

final as (
    select
        decided.recon_key,
        decided.deal_key,
        decided.invoice_key,
        coalesce(decided.deal_company_key, invoices.company_key) as company_key,
        decided.owner_user_key,
        decided.pipeline_key,
        decided.deal_status,
        decided.billing_status,
        case when decided.deal_key is null then unlinked_classes.unlinked_class end
            as unlinked_class,
        decided.payment_status,
        decided.currency_code,
        coalesce(decided.deal_source_system, decided.source_system) as source_system,
        coalesce(decided.deal_connection, decided.connection) as connection,
        coalesce(decided.deal_raw_version_id, decided.raw_version_id) as raw_version_id,
        cast(decided.booked_net_amt as {{ money_type() }}) as booked_net_amt,
        cast(decided.expected_billed_to_date_amt as {{ money_type() }})
            as expected_billed_to_date_amt,
        cast(decided.invoiced_net_amt as {{ money_type() }}) as invoiced_net_amt,
        cast(decided.credited_net_amt as {{ money_type() }}) as credited_net_amt,
        cast(decided.billed_net_amt as {{ money_type() }}) as billed_net_amt,
        cast(decided.billed_net_amt - decided.booked_net_amt as {{ money_type() }})
            as variance_amt,
        cast(decided.tolerance_amt as {{ money_type() }}) as tolerance_amt,
        cast(coalesce(decided.paid_gross_amt, 0) as {{ money_type() }}) as paid_gross_amt,
        cast(coalesce(decided.refunded_gross_amt, 0) as {{ money_type() }})
            as refunded_gross_amt,
        cast(coalesce(decided.written_off_gross_amt, 0) as {{ money_type() }})
            as written_off_gross_amt,
        cast(coalesce(decided.disputed_gross_amt, 0) as {{ money_type() }})
            as disputed_gross_amt,
        cast(coalesce(decided.outstanding_gross_amt, 0) as {{ money_type() }})
            as outstanding_gross_amt,
        cast(decided.booked_net_rc as {{ money_type() }}) as booked_net_rc,
        cast(decided.billed_net_rc as {{ money_type() }}) as billed_net_rc,
        cast(decided.variance_fx_rc as {{ money_type() }}) as variance_fx_rc,
        cast(coalesce(decided.n_invoices, 0) as bigint) as n_invoices,
        cast({{ days_between('decided.won_date', 'decided.first_invoice_date') }} as bigint)
            as days_to_first_invoice,
        cast(
            case
                when decided.outstanding_gross_amt = 0 and decided.paid_gross_amt > 0
                    then {{ days_between('decided.won_date', 'decided.last_paid_date') }}
            end as bigint
        ) as days_to_cash,
        cast({{ days_between('decided.won_date', 'decided.first_invoice_date') }} as bigint)
            as closed_before_invoice_by_days,
        coalesce(decided.has_currency_mismatch, false) as is_currency_mismatch,
        decided.deal_key is not null and decided.is_tax_basis_unknown as is_tax_basis_unknown,
        decided.has_several_deals as has_several_deals_on_invoice,
        coalesce(decided.min_confidence < 0.9, false) as is_link_below_0_9,
        coalesce(decided.first_invoice_date < decided.won_date, false) as is_billed_before_won,
        -- Won again or still open after an invoice that followed the first win.
        coalesce(
            decided.n_reopened > 0
            and decided.first_invoice_date >= {{ company_date('decided.first_won_at') }}
            and decided.first_invoice_date < coalesce(decided.won_date, cast('9999-12-31' as date)),
            false
        ) as is_reopened_after_billing,
        decided.deal_key is not null and decided.booked_net_amt is null
            as is_booked_amount_missing,
        decided.deal_key is not null and decided.is_gone as is_deleted,
        {{ as_of_date() }} as as_of_date,
        decided.won_date,
        decided.first_invoice_date,
        decided.last_paid_date
    from decided
    left join invoices on decided.invoice_key = invoices.invoice_key
    left join unlinked_classes on decided.recon_key = unlinked_classes.recon_key
)

select * from final
