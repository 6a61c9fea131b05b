-- Grain: one row per invoice line x fiscal month, from the first month in which it was billed
-- or earned to the last one in which it is earned or credited. A management view, not
-- statutory accounting.
--
-- Recognised to date is the line's net by days of its service period, at most what credits
-- have left of it: a credit takes from the end of the period first. A line without a period is
-- recognised when it is billed.

with invoices as (
    select *
    from {{ ref('int_invoices_valued') }}
    where is_billable
),

months as (
    select
        period_key,
        start_date,
        end_date
    from {{ ref('dim_fiscal_period') }}
    where grain = 'month'
),

horizon as (
    select
        min(start_date) as first_date,
        max(end_date) as last_date
    from months
),

credits as (
    select * from {{ ref('int_invoice_line_credits') }}
),

last_credits as (
    select
        invoice_line_key,
        max(credited_date) as last_credited_date
    from credits
    group by invoice_line_key
),

lines as (
    select
        invoice_lines.invoice_line_key,
        invoice_lines.invoice_key,
        invoice_lines.product_key,
        invoices.customer_key,
        invoices.company_key,
        invoices.subscription_key,
        invoice_lines.currency_code,
        invoice_lines.source_system,
        invoice_lines.connection,
        invoice_lines.raw_version_id,
        invoice_lines.net_amt,
        invoices.rate_to_rc,
        invoices.issue_date,
        -- Beyond the calendar's last day there is no month: what is left falls into the last.
        greatest(
            coalesce(invoice_lines.service_start, invoices.issue_date), horizon.first_date
        ) as earned_from,
        least(
            greatest(
                coalesce(
                    invoice_lines.service_end, invoice_lines.service_start, invoices.issue_date
                ),
                coalesce(invoice_lines.service_start, invoices.issue_date)
            ),
            horizon.last_date
        ) as earned_to,
        invoice_lines.service_start is not null as has_service_period,
        last_credits.last_credited_date
    from {{ ref('fct_invoice_line') }} as invoice_lines
    inner join invoices on invoice_lines.invoice_key = invoices.invoice_key
    left join last_credits on invoice_lines.invoice_line_key = last_credits.invoice_line_key
    cross join horizon
),

spans as (
    select
        lines.*,
        months.period_key,
        months.start_date,
        months.end_date,
        least(
            greatest({{ days_between('lines.earned_from', 'months.end_date') }} + 1, 0),
            {{ days_between('lines.earned_from', 'lines.earned_to') }} + 1
        ) as days_earned,
        {{ days_between('lines.earned_from', 'lines.earned_to') }} + 1 as days_in_service
    from lines
    inner join months
        on
            months.end_date >= least(lines.issue_date, lines.earned_from)
            and months.start_date
            <= greatest(lines.issue_date, lines.earned_to, lines.last_credited_date)
),

credited as (
    select
        spans.invoice_line_key,
        spans.period_key,
        sum(credits.credited_amt) as credited_to_date_amt
    from spans
    inner join credits
        on
            spans.invoice_line_key = credits.invoice_line_key
            and spans.end_date >= credits.credited_date
    group by spans.invoice_line_key, spans.period_key
),

totals as (
    select
        spans.*,
        case when spans.issue_date <= spans.end_date then spans.net_amt else 0 end
            as billed_to_date_amt,
        coalesce(credited.credited_to_date_amt, 0) as credited_to_date_amt,
        case
            when spans.days_earned = spans.days_in_service then spans.net_amt
            else {{ round_money(
                'cast(spans.net_amt as decimal(38, 4)) * spans.days_earned'
                ~ ' * cast(1.0 / spans.days_in_service as decimal(18, 17))',
                'spans.currency_code') }}
        end as earned_amt
    from spans
    left join credited
        on
            spans.invoice_line_key = credited.invoice_line_key
            and spans.period_key = credited.period_key
),

recognised as (
    select
        *,
        case
            when net_amt >= 0 then least(earned_amt, net_amt - credited_to_date_amt)
            else greatest(earned_amt, net_amt - credited_to_date_amt)
        end as recognised_to_date_amt
    from totals
),

changes as (
    select
        *,
        billed_to_date_amt - coalesce(lag(billed_to_date_amt) over w, 0) as billed_amt,
        credited_to_date_amt - coalesce(lag(credited_to_date_amt) over w, 0) as credited_amt,
        recognised_to_date_amt - coalesce(lag(recognised_to_date_amt) over w, 0)
            as recognised_amt,
        coalesce(
            lag(billed_to_date_amt - credited_to_date_amt - recognised_to_date_amt) over w, 0
        ) as deferred_start_amt,
        billed_to_date_amt - credited_to_date_amt - recognised_to_date_amt as deferred_end_amt
    from recognised
    window w as (partition by invoice_line_key order by start_date)
),

final as (
    select
        concat_ws('|', invoice_line_key, period_key) as revenue_schedule_key,
        invoice_line_key,
        invoice_key,
        period_key,
        product_key,
        customer_key,
        company_key,
        subscription_key,
        currency_code,
        source_system,
        connection,
        raw_version_id,
        cast(deferred_start_amt as {{ money_type() }}) as deferred_start_amt,
        cast(billed_amt as {{ money_type() }}) as billed_amt,
        cast(recognised_amt as {{ money_type() }}) as recognised_amt,
        cast(credited_amt as {{ money_type() }}) as credited_amt,
        cast(deferred_end_amt as {{ money_type() }}) as deferred_end_amt,
        -- Converted to date and then subtracted: the months add up to the line in both moneys.
        cast(
            {{ convert_money('recognised_to_date_amt', 'rate_to_rc',
                "'" ~ var('reporting_currency') ~ "'") }}
            - {{ convert_money('(recognised_to_date_amt - recognised_amt)', 'rate_to_rc',
                "'" ~ var('reporting_currency') ~ "'") }} as {{ money_type() }}
        ) as recognised_rc,
        {{ convert_money('deferred_end_amt', 'rate_to_rc',
            "'" ~ var('reporting_currency') ~ "'") }} as deferred_end_rc,
        has_service_period,
        start_date > {{ as_of_date() }} as is_future,
        start_date
    from changes
)

select * from final
