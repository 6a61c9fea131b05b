-- Grain: one row per customer x invoice x as-of day (the last day of each fiscal month, and the
-- as-of date), and one per payment, credit note or credit balance that lies with no invoice.

with open_invoices as (
    select * from {{ ref('int_ar_open_invoices') }}
),

unapplied as (
    select * from {{ ref('int_ar_unapplied') }}
),

rates as (
    select
        currency_code,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot'
),

positions as (
    select
        invoice_key as document_key,
        'invoice' as document_type,
        invoice_key,
        customer_key,
        company_key,
        case
            when days_overdue <= 0 then 'current'
            when days_overdue <= 30 then '1-30'
            when days_overdue <= 60 then '31-60'
            when days_overdue <= 90 then '61-90'
            when days_overdue <= 120 then '91-120'
            else '>120'
        end as bucket,
        currency_code,
        source_system,
        connection,
        raw_version_id,
        gross_amt,
        balance_amt,
        rate_to_rc,
        day_rate_to_rc,
        days_overdue,
        is_due_date_assumed,
        issue_date,
        due_date,
        as_of_date
    from open_invoices
    union all
    select
        unapplied.document_key,
        unapplied.document_type,
        cast(null as varchar),
        unapplied.customer_key,
        unapplied.company_key,
        'unapplied',
        unapplied.currency_code,
        unapplied.source_system,
        unapplied.connection,
        unapplied.raw_version_id,
        cast(-unapplied.unapplied_amt as {{ money_type() }}),
        cast(-unapplied.unapplied_amt as {{ money_type() }}),
        rates.rate_to_rc,
        day_rates.rate_to_rc,
        cast(null as bigint),
        false,
        unapplied.document_date,
        cast(null as date),
        unapplied.as_of_date
    from unapplied
    left join rates
        on
            unapplied.currency_code = rates.currency_code
            and unapplied.document_date = rates.rate_date
    left join rates as day_rates
        on
            unapplied.currency_code = day_rates.currency_code
            and unapplied.as_of_date = day_rates.rate_date
),

valued as (
    select
        *,
        {{ convert_money('balance_amt', 'rate_to_rc', "'" ~ var('reporting_currency') ~ "'") }}
            as balance_rc,
        {{ convert_money('balance_amt', 'day_rate_to_rc', "'" ~ var('reporting_currency') ~ "'") }}
            as balance_at_day_rate_rc
    from positions
),

final as (
    select
        concat_ws('|', document_type, document_key, currency_code, as_of_date) as ar_ageing_key,
        document_key,
        document_type,
        invoice_key,
        customer_key,
        company_key,
        bucket,
        currency_code,
        source_system,
        connection,
        raw_version_id,
        gross_amt,
        balance_amt,
        balance_rc,
        balance_at_day_rate_rc,
        cast(balance_at_day_rate_rc - balance_rc as {{ money_type() }}) as unrealised_fx_rc,
        days_overdue,
        as_of_date = {{ as_of_date() }} as is_today,
        is_due_date_assumed,
        issue_date,
        due_date,
        as_of_date
    from valued
)

select * from final
