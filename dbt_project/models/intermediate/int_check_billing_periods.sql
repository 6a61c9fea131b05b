-- Grain: one row per identity of billing over time that is broken (B-16, B-22) x record. All of
-- severity error; amounts in the record's currency unless the detail says otherwise.

with dates as (
    select * from {{ ref('int_ar_dates') }}
),

-- What was billed and not yet settled on a day, counted without looking at single balances.
issued as (
    select
        dates.as_of_date,
        invoices.currency_code,
        sum(invoices.gross_amt) as gross_amt
    from {{ ref('fct_invoice') }} as invoices
    inner join dates
        on
            invoices.issue_date <= dates.as_of_date
            and (invoices.voided_date is null or invoices.voided_date > dates.as_of_date)
    where invoices.is_billable
    group by dates.as_of_date, invoices.currency_code
),

settled as (
    select
        dates.as_of_date,
        allocations.currency_code,
        sum(allocations.applied_amt) as applied_amt
    from {{ ref('fct_payment_allocation') }} as allocations
    inner join {{ ref('fct_invoice') }} as invoices
        on allocations.invoice_key = invoices.invoice_key
    inner join dates
        on
            allocations.applied_date <= dates.as_of_date
            and invoices.issue_date <= dates.as_of_date
            and (invoices.voided_date is null or invoices.voided_date > dates.as_of_date)
    where invoices.is_billable
    group by dates.as_of_date, allocations.currency_code
),

aged as (
    select
        as_of_date,
        currency_code,
        sum(balance_amt) as balance_amt
    from {{ ref('mart_ar_ageing') }}
    where document_type = 'invoice'
    group by as_of_date, currency_code
),

schedule as (
    select * from {{ ref('mart_revenue_schedule') }}
),

last_deferred as (
    select
        invoice_line_key,
        arg_max(deferred_end_amt, start_date) as deferred_end_amt
    from schedule
    group by invoice_line_key
),

movements as (
    select * from {{ ref('mart_mrr_movement') }}
),

broken as (
    select
        'B-16' as check_id,
        'revenue_schedule' as record_type,
        revenue_schedule_key as record_key,
        deferred_end_amt as value,
        deferred_start_amt + billed_amt - recognised_amt - credited_amt as limit_value,
        'deferred revenue does not roll forward' as detail
    from schedule
    where deferred_end_amt <> deferred_start_amt + billed_amt - recognised_amt - credited_amt
    union all
    select
        'B-16',
        'invoice_line',
        invoice_line_key,
        deferred_end_amt,
        0,
        'the schedule of the line ends before all of it is earned or credited'
    from last_deferred
    where deferred_end_amt <> 0
    union all
    select
        'B-16',
        'mrr_movement',
        mrr_movement_key,
        mrr_end_amt,
        mrr_start_amt + new_amt + expansion_amt - contraction_amt - churn_amt + reactivation_amt,
        'recurring revenue does not roll forward'
    from movements
    where
        mrr_end_amt
        <> mrr_start_amt + new_amt + expansion_amt - contraction_amt - churn_amt + reactivation_amt
        or mrr_end_rc
        <> mrr_start_rc + new_rc + expansion_rc - contraction_rc - churn_rc + reactivation_rc
        + fx_rc
    union all
    select
        'B-22',
        'ar_ageing',
        concat_ws('|', issued.as_of_date, issued.currency_code),
        coalesce(aged.balance_amt, 0),
        issued.gross_amt - coalesce(settled.applied_amt, 0),
        'the ageing is not what was billed less what was settled'
    from issued
    left join settled
        on
            issued.as_of_date = settled.as_of_date
            and issued.currency_code = settled.currency_code
    left join aged
        on issued.as_of_date = aged.as_of_date and issued.currency_code = aged.currency_code
    where coalesce(aged.balance_amt, 0) <> issued.gross_amt - coalesce(settled.applied_amt, 0)
),

final as (
    select
        check_id,
        'error' as severity,
        record_type,
        record_key,
        cast(value as {{ money_type() }}) as value,
        cast(limit_value as {{ money_type() }}) as limit_value,
        detail
    from broken
)

select * from final
