-- Grain: one row per issued invoice x day of int_ar_dates on which money is still due on it, or
-- too much was paid. Balance = gross - sum of what was applied up to that day. day_rate_to_rc is
-- the rate of that day, and rate_to_rc the invoice's own.

{{ config(materialized='view') }}

with dates as (
    select * from {{ ref('int_ar_dates') }}
),

invoices as (
    select *
    from {{ ref('int_invoices_valued') }}
    where is_billable
),

-- How long customers usually have, for invoices that do not say when they are due.
own_terms as (
    select
        customer_key,
        cast(median({{ days_between('issue_date', 'due_date') }}) as integer) as terms_days
    from invoices
    where due_date is not null
    group by customer_key
),

due as (
    select
        invoices.invoice_key,
        invoices.customer_key,
        invoices.company_key,
        invoices.currency_code,
        invoices.source_system,
        invoices.connection,
        invoices.raw_version_id,
        invoices.gross_amt,
        invoices.rate_to_rc,
        invoices.issue_date,
        invoices.voided_date,
        invoices.due_date is null as is_due_date_assumed,
        coalesce(
            invoices.due_date,
            invoices.issue_date
            + coalesce(own_terms.terms_days, {{ var('payment_terms_days') }})
        ) as due_date
    from invoices
    left join own_terms on invoices.customer_key = own_terms.customer_key
),

-- A few rows, found here once: joined to each day of each invoice, all of these would be held.
day_rates as (
    select
        dates.as_of_date,
        currencies.currency_code,
        rates.rate_to_rc as day_rate_to_rc
    from dates
    cross join (select distinct currency_code from invoices) as currencies
    left join {{ ref('fct_fx_rate') }} as rates
        on
            currencies.currency_code = rates.currency_code
            and dates.as_of_date = rates.rate_date
            and rates.rate_type = 'spot'
),

-- Read twice and never held: it has a row for every day on which an invoice stood.
standing as not materialized (
    select
        due.*,
        day_rates.as_of_date,
        day_rates.day_rate_to_rc
    from due
    inner join day_rates
        on
            due.currency_code is not distinct from day_rates.currency_code
            and due.issue_date <= day_rates.as_of_date
            and (due.voided_date is null or due.voided_date > day_rates.as_of_date)
),

applied as (
    select
        standing.invoice_key,
        standing.as_of_date,
        sum(allocations.applied_amt) as applied_amt
    from standing
    inner join {{ ref('int_payment_allocations') }} as allocations
        on
            standing.invoice_key = allocations.invoice_key
            and standing.as_of_date >= allocations.applied_date
    group by standing.invoice_key, standing.as_of_date
),

final as (
    select
        standing.invoice_key,
        standing.customer_key,
        standing.company_key,
        standing.currency_code,
        standing.source_system,
        standing.connection,
        standing.raw_version_id,
        standing.gross_amt,
        cast(standing.gross_amt - coalesce(applied.applied_amt, 0) as {{ money_type() }})
            as balance_amt,
        standing.rate_to_rc,
        standing.day_rate_to_rc,
        {{ days_between('standing.due_date', 'standing.as_of_date') }} as days_overdue,
        standing.is_due_date_assumed,
        standing.issue_date,
        standing.due_date,
        standing.as_of_date
    from standing
    left join applied
        on
            standing.invoice_key = applied.invoice_key
            and standing.as_of_date = applied.as_of_date
    where standing.gross_amt <> coalesce(applied.applied_amt, 0)
)

select * from final
