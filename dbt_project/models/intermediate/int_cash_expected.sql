-- Grain: one row per day from which it is looked ahead x source class x currency x week: the
-- money expected in it. Looked at from now for every week to come, and from the first day of past
-- weeks for the weeks that began 4, 8 and 13 weeks later.
--
-- From a past day only what was known before it counts: invoices issued, payments made, deals
-- as they stood (as held, where pipeledger held them already), lags and odds learned by then.
-- So each deal is looked at from some twenty days at most, and only while it was open.

{% set history_weeks = var('cash_history_weeks') %}
{% set horizons = [4, 8, 13] %}

with this_week as (
    select cast(date_trunc('week', {{ as_of_date() }}) as date) as week_start
),

points as (
    select *
    from {{ ref('int_cash_lags') }}
    where customer_key is null
),

invoices as (
    select
        invoice_key,
        coalesce(company_key, customer_key, 'unknown') as customer_key,
        currency_code,
        gross_amt,
        issue_date,
        coalesce(due_date, issue_date + {{ var('payment_terms_days') }}) as due_date,
        voided_date
    from {{ ref('int_invoices_valued') }}
    where is_billable
),

allocations as (
    select
        invoice_key,
        applied_amt,
        applied_date
    from {{ ref('int_payment_allocations') }}
),

won_stays as (
    select
        stays.deal_key,
        coalesce(deals.company_key, 'unknown') as customer_key,
        stays.currency_code,
        stays.amount_at_entry_amt as booked_amt,
        stays.entered_date as won_date,
        stays.exited_date
    from {{ ref('fct_deal_stage') }} as stays
    inner join {{ ref('fct_deal') }} as deals
        on stays.survivor_deal_key = deals.deal_key
    where stays.stage_type = 'won' and not deals.is_excluded and not deals.is_deleted
),

billed as (
    select
        deal_key,
        net_deal_amt,
        event_date
    from {{ ref('int_invoice_billing_events') }}
    where deal_key is not null
),

-- What was still due on an invoice.
settled as (
    select
        invoices.invoice_key,
        case when sum(allocations.applied_amt) >= max(invoices.gross_amt)
            then max(allocations.applied_date) end as settled_date
    from invoices
    inner join allocations on invoices.invoice_key = allocations.invoice_key
    group by invoices.invoice_key
),

-- Read twice and never held: it has a row for every day on which something was due.
standing_invoices as not materialized (
    select
        points.before_date,
        invoices.invoice_key,
        invoices.customer_key,
        invoices.currency_code,
        invoices.gross_amt,
        invoices.due_date
    from invoices
    left join settled on invoices.invoice_key = settled.invoice_key
    inner join points
        on
            invoices.issue_date < points.before_date
            and coalesce(
                least(invoices.voided_date, settled.settled_date), cast('9999-12-31' as date)
            ) >= points.before_date
),

applied as (
    select
        standing_invoices.before_date,
        standing_invoices.invoice_key,
        sum(allocations.applied_amt) as applied_amt
    from standing_invoices
    inner join allocations
        on
            standing_invoices.invoice_key = allocations.invoice_key
            and standing_invoices.before_date > allocations.applied_date
    group by standing_invoices.before_date, standing_invoices.invoice_key
),

billed_in_all as (
    select
        deal_key,
        sum(net_deal_amt) as billed_amt,
        max(event_date) as billed_until
    from billed
    group by deal_key
),

-- Won and not billed in full; what lies unbilled for more than a year is no cash to count on.
standing_wins as (
    select
        points.before_date,
        won_stays.deal_key,
        won_stays.customer_key,
        won_stays.currency_code,
        won_stays.won_date,
        won_stays.booked_amt - coalesce(sum(billed.net_deal_amt), 0) as amount_amt
    from won_stays
    left join billed_in_all on won_stays.deal_key = billed_in_all.deal_key
    inner join points
        on
            won_stays.won_date < points.before_date
            and won_stays.won_date + 365 >= points.before_date
            and coalesce(won_stays.exited_date, cast('9999-12-31' as date)) >= points.before_date
            -- Nothing is left of what is billed in full by then: most wins, on most days.
            and not coalesce(
                billed_in_all.billed_amt >= won_stays.booked_amt
                and points.before_date > billed_in_all.billed_until,
                false
            )
    left join billed
        on won_stays.deal_key = billed.deal_key and points.before_date > billed.event_date
    group by
        points.before_date, won_stays.deal_key, won_stays.customer_key, won_stays.currency_code,
        won_stays.won_date, won_stays.booked_amt
),

-- The table of win probabilities, down to the stage, as it could be learned by a past day.
lessons as (
    select
        stays.pipeline_key,
        stays.stage_key,
        decisions.decided_date,
        decisions.ended_date,
        count(*) as n,
        sum(cast(decisions.outcome = 'won' as integer)) as n_won
    from {{ ref('fct_deal_stage') }} as stays
    inner join {{ ref('int_deal_decisions') }} as decisions
        on
            stays.deal_key = decisions.deal_key
            and stays.exited_at <= decisions.decided_at
    where stays.stage_type = 'open' and stays.visit_no = 1 and not stays.is_pass_through
    group by
        stays.pipeline_key, stays.stage_key, decisions.decided_date, decisions.ended_date
),

lessons_at as (
    select
        points.before_date,
        lessons.pipeline_key,
        lessons.stage_key,
        sum(lessons.n) as n,
        sum(lessons.n_won) as n_won
    from points
    inner join lessons
        on
            points.before_date > lessons.decided_date
            and lessons.decided_date >= points.before_date - interval 24 month
            and coalesce(lessons.ended_date, cast('9999-12-31' as date)) >= points.before_date
    where not points.is_now
    group by points.before_date, lessons.pipeline_key, lessons.stage_key
),

company_odds as (
    select
        before_date,
        case when sum(n) >= 20 then {{ ratio('sum(n_won)', 'sum(n)') }} end as p
    from lessons_at
    group by before_date
),

pipeline_odds as (
    select
        lessons_at.before_date,
        lessons_at.pipeline_key,
        {{ shrunk('sum(lessons_at.n_won)', 'sum(lessons_at.n)', 'max(company_odds.p)') }} as p
    from lessons_at
    inner join company_odds on lessons_at.before_date = company_odds.before_date
    group by lessons_at.before_date, lessons_at.pipeline_key
),

known as (
    select min(seen_from) as first_seen_at
    from {{ ref('fct_deal_version') }}
),

open_then as (
    select
        points.before_date,
        coalesce(deals.company_key, 'unknown') as customer_key,
        versions.currency_code,
        versions.amount_amt,
        versions.expected_close_date,
        versions.pipeline_key,
        versions.stage_key
    from {{ ref('fct_deal_version') }} as versions
    cross join known
    inner join points
        on
            not points.is_now
            and case
                when known.first_seen_at <= {{ start_of_day('points.before_date') }}
                    then
                        versions.seen_from <= {{ start_of_day('points.before_date') }}
                        and coalesce(versions.seen_to, {{ far_future() }})
                        > {{ start_of_day('points.before_date') }}
                else
                    versions.valid_from <= {{ start_of_day('points.before_date') }}
                    and coalesce(versions.valid_to, {{ far_future() }})
                    > {{ start_of_day('points.before_date') }}
            end
    inner join {{ ref('fct_deal') }} as deals
        on versions.survivor_deal_key = deals.deal_key
    where
        versions.status = 'open'
        and not versions.is_deleted
        and not versions.is_merged_away
        and not deals.is_excluded
        and versions.amount_amt > 0
        and versions.expected_close_date is not null
),

pipeline as (
    select
        open_then.before_date,
        open_then.customer_key,
        open_then.currency_code,
        open_then.amount_amt,
        open_then.expected_close_date,
        {{ shrunk(
            'coalesce(lessons_at.n_won, 0)', 'coalesce(lessons_at.n, 0)',
            'coalesce(pipeline_odds.p, company_odds.p)'
        ) }} as p_win
    from open_then
    inner join company_odds on open_then.before_date = company_odds.before_date
    left join pipeline_odds
        on
            open_then.before_date = pipeline_odds.before_date
            and open_then.pipeline_key = pipeline_odds.pipeline_key
    left join lessons_at
        on
            open_then.before_date = lessons_at.before_date
            and open_then.stage_key = lessons_at.stage_key
    union all
    select
        points.before_date,
        coalesce(deals.company_key, 'unknown'),
        deals.currency_code,
        deals.amount_amt,
        deals.expected_close_date,
        cast(odds.p_win as double)
    from {{ ref('mart_win_probability') }} as odds
    inner join {{ ref('fct_deal') }} as deals on odds.deal_key = deals.deal_key
    inner join points on points.is_now
    where deals.amount_amt > 0 and deals.expected_close_date is not null
),

bills as (
    select
        bill_key,
        currency_code,
        status,
        gross_amt,
        issue_date,
        due_date,
        case when status = 'void' then coalesce(voided_date, issue_date) end as voided_date
    from {{ ref('fct_bill') }}
    where not is_deleted and status <> 'draft'
),

bill_payments as (
    {{ newest_versions('int_bill_payments_unioned', 'bill_payment_key') }}
),

standing_bills as (
    select
        points.before_date,
        bills.currency_code,
        coalesce(bills.due_date, bills.issue_date) as due_date,
        bills.gross_amt - coalesce(sum(bill_payments.paid_amt), 0) as amount_amt
    from bills
    inner join points
        on
            bills.issue_date < points.before_date
            and coalesce(bills.voided_date, cast('9999-12-31' as date)) >= points.before_date
    left join bill_payments
        on
            bills.bill_key = bill_payments.bill_key
            and points.before_date > bill_payments.paid_date
            and not bill_payments.is_deleted
    group by
        points.before_date, bills.bill_key, bills.currency_code, bills.due_date,
        bills.issue_date, bills.gross_amt
),

-- When each is expected: what should be there already is expected at once.
receipts as (
    select
        standing_invoices.before_date,
        standing_invoices.customer_key,
        'open_invoices' as source_class,
        standing_invoices.currency_code,
        standing_invoices.gross_amt - coalesce(applied.applied_amt, 0) as amount_amt,
        standing_invoices.due_date,
        cast(null as date) as invoice_from_date
    from standing_invoices
    left join applied
        on
            standing_invoices.before_date = applied.before_date
            and standing_invoices.invoice_key = applied.invoice_key
    union all
    select
        before_date,
        customer_key,
        'won_unbilled',
        currency_code,
        amount_amt,
        null,
        won_date
    from standing_wins
    union all
    select
        before_date,
        customer_key,
        'weighted_pipeline',
        currency_code,
        {{ round_money(
            'cast(amount_amt as decimal(38, 4)) * cast(p_win as decimal(9, 6))', 'currency_code'
        ) }},
        null,
        expected_close_date
    from pipeline
),

dated as (
    select
        receipts.before_date,
        points.is_now,
        receipts.source_class,
        receipts.currency_code,
        receipts.amount_amt,
        greatest(
            coalesce(
                receipts.due_date,
                greatest(
                    case
                        when receipts.source_class = 'weighted_pipeline'
                            then greatest(receipts.invoice_from_date, points.from_date)
                        else receipts.invoice_from_date
                    end + cast(points.invoice_days as integer),
                    points.from_date
                ) + cast(coalesce(customer_lags.terms_days, points.terms_days) as integer)
            ) + cast(coalesce(customer_lags.late_days, points.late_days) as integer),
            points.from_date
        ) as expected_date
    from receipts
    inner join points on receipts.before_date = points.before_date
    left join {{ ref('int_cash_lags') }} as customer_lags
        on
            receipts.before_date = customer_lags.before_date
            and receipts.customer_key = customer_lags.customer_key
    where receipts.amount_amt > 0
    union all
    select
        standing_bills.before_date,
        points.is_now,
        'bills',
        standing_bills.currency_code,
        standing_bills.amount_amt,
        greatest(standing_bills.due_date, points.from_date)
    from standing_bills
    inner join points on standing_bills.before_date = points.before_date
    where standing_bills.amount_amt > 0
),

final as (
    select
        dated.before_date,
        dated.is_now,
        dated.source_class,
        dated.currency_code,
        cast(date_trunc('week', dated.expected_date) as date) as week_start,
        cast(sum(dated.amount_amt) as {{ money_type() }}) as expected_amt
    from dated
    group by
        dated.before_date, dated.is_now, dated.source_class, dated.currency_code,
        cast(date_trunc('week', dated.expected_date) as date)
)

select final.*
from final
cross join this_week
where
    final.is_now
    or (
        final.week_start - final.before_date
        in ({% for n in horizons %}{{ 7 * n }}{{ ', ' if not loop.last }}{% endfor %})
        and final.week_start < this_week.week_start
        and final.week_start >= this_week.week_start - 7 * {{ history_weeks }}
    )
