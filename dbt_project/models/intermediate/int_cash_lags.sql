-- Grain: one row per day from which money is looked ahead x customer of whom enough is known, and
-- one for the company (customer_key null): how many days pass until an invoice, until it is due,
-- and until it is paid. Days: now (the day after the as-of, whose own payments count), and the first
-- days of past weeks that lie 4, 8 and 13 weeks before one of the last weeks.
--
-- Medians of the 365 days before the day; a customer with under 3 payments (invoices) pays (is
-- given time) as the company's do.

{% set history_weeks = var('cash_history_weeks') %}
{% set horizons = [4, 8, 13] %}

with this_week as (
    select cast(date_trunc('week', {{ as_of_date() }}) as date) as week_start
),

points as (
    select distinct
        this_week.week_start - 7 * cast(past.n + ahead.n as integer) as before_date,
        this_week.week_start - 7 * cast(past.n + ahead.n as integer) as from_date,
        false as is_now
    from this_week
    cross join unnest(generate_series(1, {{ history_weeks }})) as past (n)
    cross join unnest({{ horizons }}) as ahead (n)
    union all
    select
        {{ as_of_date() }} + 1 as before_date,
        {{ as_of_date() }} as from_date,
        true as is_now
),

invoices as (
    select
        invoice_key,
        coalesce(company_key, customer_key, 'unknown') as customer_key,
        issue_date,
        due_date as stated_due_date,
        coalesce(due_date, issue_date + {{ var('payment_terms_days') }}) as due_date
    from {{ ref('int_invoices_valued') }}
    where is_billable
),

allocations as (
    select
        invoice_key,
        applied_date
    from {{ ref('int_payment_allocations') }}
    where kind = 'payment'
),

-- How customers pay: days after the due date, and days that they are given.
habits as (
    select
        invoices.customer_key,
        allocations.applied_date as known_date,
        {{ days_between('invoices.due_date', 'allocations.applied_date') }} as late_days,
        cast(null as bigint) as terms_days
    from allocations
    inner join invoices on allocations.invoice_key = invoices.invoice_key
    union all
    select
        customer_key,
        issue_date,
        cast(null as bigint),
        {{ days_between('issue_date', 'stated_due_date') }}
    from invoices
    where stated_due_date is not null
),

habits_at as (
    select
        points.before_date,
        habits.*
    from points
    inner join habits
        on
            points.before_date > habits.known_date
            and points.before_date <= habits.known_date + 365
),

customer_lags as (
    select
        before_date,
        customer_key,
        case when count(late_days) >= 3 then round(median(late_days)) end as late_days,
        case when count(terms_days) >= 3 then round(median(terms_days)) end as terms_days
    from habits_at
    group by before_date, customer_key
),

wins as (
    select
        deal_key,
        max(entered_date) as won_date
    from {{ ref('fct_deal_stage') }}
    where stage_type = 'won'
    group by deal_key
),

first_bills as (
    select
        billed.deal_key,
        min(billed.event_date) as first_date,
        {{ days_between('max(wins.won_date)', 'min(billed.event_date)') }} as invoice_days
    from {{ ref('int_invoice_billing_events') }} as billed
    inner join wins on billed.deal_key = wins.deal_key
    where billed.event_kind = 'issued'
    group by billed.deal_key
),

invoice_lags as (
    select
        points.before_date,
        greatest(round(median(first_bills.invoice_days)), 0) as invoice_days
    from points
    inner join first_bills
        on
            points.before_date > first_bills.first_date
            and points.before_date <= first_bills.first_date + 365
    group by points.before_date
),

company_lags as (
    select
        points.before_date,
        points.from_date,
        points.is_now,
        coalesce(round(median(habits_at.late_days)), 0) as late_days,
        coalesce(round(median(habits_at.terms_days)), {{ var('payment_terms_days') }})
            as terms_days,
        coalesce(max(invoice_lags.invoice_days), 0) as invoice_days
    from points
    left join habits_at on points.before_date = habits_at.before_date
    left join invoice_lags on points.before_date = invoice_lags.before_date
    group by points.before_date, points.from_date, points.is_now
),

final as (
    select
        before_date,
        from_date,
        is_now,
        cast(null as varchar) as customer_key,
        cast(invoice_days as integer) as invoice_days,
        cast(terms_days as integer) as terms_days,
        cast(late_days as integer) as late_days
    from company_lags
    union all
    select
        company_lags.before_date,
        company_lags.from_date,
        company_lags.is_now,
        customer_lags.customer_key,
        cast(company_lags.invoice_days as integer),
        cast(coalesce(customer_lags.terms_days, company_lags.terms_days) as integer),
        cast(coalesce(customer_lags.late_days, company_lags.late_days) as integer)
    from customer_lags
    inner join company_lags on customer_lags.before_date = company_lags.before_date
    where customer_lags.terms_days is not null or customer_lags.late_days is not null
)

select * from final
