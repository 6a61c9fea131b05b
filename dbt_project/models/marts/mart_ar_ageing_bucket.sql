-- Grain: one row per as-of day x currency x bucket of mart_ar_ageing, and one for all buckets.
-- DSO stands on the row of all buckets: balance / net billed in the 90 days up to the day x 90.

with positions as (
    select * from {{ ref('mart_ar_ageing') }}
),

billed as (
    select
        invoices.currency_code,
        dates.as_of_date,
        sum(events.net_amt) as net_billed_90_days_amt
    from {{ ref('int_invoice_billing_events') }} as events
    inner join {{ ref('int_invoices_valued') }} as invoices
        on events.invoice_key = invoices.invoice_key
    inner join {{ ref('int_ar_dates') }} as dates
        on
            events.event_date <= dates.as_of_date
            and events.event_date > dates.as_of_date - 90
    group by invoices.currency_code, dates.as_of_date
),

summed as (
    select
        as_of_date,
        currency_code,
        coalesce(bucket, 'all') as bucket,
        count(*) as n_documents,
        count(distinct customer_key) as n_customers,
        sum(balance_amt) as balance_amt,
        sum(balance_rc) as balance_rc,
        sum(balance_at_day_rate_rc) as balance_at_day_rate_rc
    from positions
    group by grouping sets ((as_of_date, currency_code, bucket), (as_of_date, currency_code))
),

final as (
    select
        concat_ws('|', summed.as_of_date, summed.currency_code, summed.bucket)
            as ar_ageing_bucket_key,
        summed.bucket,
        summed.currency_code,
        cast(summed.balance_amt as {{ money_type() }}) as balance_amt,
        cast(summed.balance_rc as {{ money_type() }}) as balance_rc,
        cast(summed.balance_at_day_rate_rc as {{ money_type() }}) as balance_at_day_rate_rc,
        cast(
            case when summed.bucket = 'all' then coalesce(billed.net_billed_90_days_amt, 0) end
            as {{ money_type() }}
        ) as net_billed_90_days_amt,
        cast(summed.n_documents as bigint) as n_documents,
        cast(summed.n_customers as bigint) as n_customers,
        case
            when summed.bucket = 'all'
                then {{ ratio('summed.balance_amt', 'billed.net_billed_90_days_amt') }} * 90
        end as dso_days,
        summed.as_of_date = {{ as_of_date() }} as is_today,
        summed.as_of_date
    from summed
    left join billed
        on
            summed.currency_code = billed.currency_code
            and summed.as_of_date = billed.as_of_date
)

select * from final
