-- Grain: one row per fiscal period x metric x measure x scope x record that the figure is made
-- of, as this build sees it. Periods: months, quarters and years that are closed, and those that
-- have ended within the last hundred days and can be closed. Reporting currency.

with closes as (
    select * from {{ ref('stg_closed__periods') }}
),

periods as (
    select
        period_key,
        start_date,
        end_date
    from {{ ref('dim_fiscal_period') }}
    where
        grain in ('month', 'quarter', 'year')
        and {{ start_of_day('end_date + 1') }} <= {{ as_of_at() }}
        and end_date >= {{ as_of_date() }} - 100
        and period_key not in (select closes.period_key from closes)
    union all
    -- A closed period keeps its days, whatever has become of the calendar since.
    select
        period_key,
        max_by(start_date, close_no) as start_date,
        max_by(end_date, close_no) as end_date
    from closes
    group by period_key
),

-- The last month of each period: where a figure stands at its end.
last_months as (
    select
        periods.period_key,
        periods.end_date,
        months.period_key as month_key
    from periods
    inner join {{ ref('dim_fiscal_period') }} as months
        on periods.end_date = months.end_date and months.grain = 'month'
),

invoices as (
    select
        invoice_key,
        gross_amt
    from {{ ref('fct_invoice') }}
),

credits as (
    select
        credits.deal_key,
        credits.measure,
        credits.user_key,
        credits.share,
        credits.credited_at,
        credits.amount_rc,
        deals.amount_at_won_amt,
        deals.currency_at_won,
        periods.period_key
    from {{ ref('int_deal_credits') }} as credits
    inner join periods on credits.closed_date between periods.start_date and periods.end_date
    inner join {{ ref('fct_deal') }} as deals on credits.deal_key = deals.deal_key
    where
        credits.status = 'won'
        and credits.credit_type = 'revenue'
        and credits.amount_rc is not null
),

won as (
    select
        credits.period_key,
        'won' as metric,
        credits.measure,
        scopes.scope_type,
        scopes.scope_key,
        'deal' as record_type,
        credits.deal_key as record_key,
        credits.currency_at_won as currency_code,
        {{ round_money(
            'sum(cast(credits.amount_at_won_amt as decimal(28, 4)) * credits.share)',
            'credits.currency_at_won'
        ) }} as amount_amt,
        credits.amount_at_won_amt as record_amt,
        sum(credits.amount_rc) as value_rc
    from credits
    inner join {{ ref('int_user_scopes') }} as scopes
        on {{ scope_at('scopes', 'credits.user_key', 'credits.credited_at') }}
    where scopes.scope_type in ('company', 'team', 'user')
    group by
        credits.period_key,
        credits.measure,
        scopes.scope_type,
        scopes.scope_key,
        credits.deal_key,
        credits.currency_at_won,
        credits.amount_at_won_amt
),

quotas as (
    select
        gaps.period_key,
        'quota' as metric,
        gaps.measure,
        gaps.scope_type,
        gaps.scope_key,
        'quota' as record_type,
        gaps.quota_gap_key as record_key,
        '{{ var("reporting_currency") }}' as currency_code,
        gaps.quota_rc as amount_amt,
        gaps.quota_rc as record_amt,
        gaps.quota_rc as value_rc
    from {{ ref('mart_quota_gap') }} as gaps
    inner join periods on gaps.period_key = periods.period_key
    where
        gaps.credit_type = 'revenue'
        and gaps.quota_rc is not null
        and gaps.scope_type in ('company', 'team', 'user')
),

flows as (
    select
        periods.period_key,
        case events.measure
            when 'invoiced' then 'invoiced_net'
            when 'credited' then 'credited_net'
            else events.measure
        end as metric,
        events.record_type,
        events.record_key,
        -- A payment may settle invoices of two currencies; those are not added.
        case when min(events.currency_code) = max(events.currency_code)
            then min(events.currency_code) end as currency_code,
        case when min(events.currency_code) = max(events.currency_code)
            then sum(events.amount_amt) end as amount_amt,
        max(invoices.gross_amt) as record_amt,
        sum(events.value_rc) as value_rc
    from {{ ref('int_money_events') }} as events
    inner join periods on events.event_date between periods.start_date and periods.end_date
    left join invoices
        on events.record_type = 'invoice' and events.record_key = invoices.invoice_key
    where events.measure <> 'booked'
    group by
        periods.period_key,
        events.measure,
        events.record_type,
        events.record_key
),

receivables as (
    select
        periods.period_key,
        case when ageing.document_type = 'invoice' then 'ar_balance' else 'ar_unapplied' end
            as metric,
        ageing.document_type as record_type,
        case
            when ageing.document_type = 'credit_balance'
                then concat_ws('|', ageing.document_key, ageing.currency_code)
            else ageing.document_key
        end as record_key,
        ageing.currency_code,
        ageing.balance_amt as amount_amt,
        ageing.gross_amt as record_amt,
        ageing.balance_rc as value_rc
    from {{ ref('mart_ar_ageing') }} as ageing
    inner join periods on ageing.as_of_date = periods.end_date
),

revenue as (
    select
        last_months.period_key,
        'deferred_revenue' as metric,
        'invoice' as record_type,
        schedule.invoice_key as record_key,
        schedule.currency_code,
        sum(schedule.deferred_end_amt) as amount_amt,
        max(invoices.gross_amt) as record_amt,
        sum(schedule.deferred_end_rc) as value_rc
    from {{ ref('mart_revenue_schedule') }} as schedule
    inner join last_months on schedule.period_key = last_months.month_key
    left join invoices on schedule.invoice_key = invoices.invoice_key
    where schedule.deferred_end_amt <> 0
    group by last_months.period_key, schedule.invoice_key, schedule.currency_code
    union all
    select
        periods.period_key,
        'recognised_revenue',
        'invoice',
        schedule.invoice_key,
        schedule.currency_code,
        sum(schedule.recognised_amt),
        max(invoices.gross_amt),
        sum(schedule.recognised_rc)
    from {{ ref('mart_revenue_schedule') }} as schedule
    inner join periods on schedule.start_date between periods.start_date and periods.end_date
    left join invoices on schedule.invoice_key = invoices.invoice_key
    where schedule.recognised_amt <> 0
    group by periods.period_key, schedule.invoice_key, schedule.currency_code
),

recurring as (
    select
        last_months.period_key,
        'mrr' as metric,
        'customer' as record_type,
        concat_ws('|', movements.customer_key, movements.currency_code) as record_key,
        movements.currency_code,
        movements.mrr_end_amt as amount_amt,
        movements.mrr_end_amt as record_amt,
        movements.mrr_end_rc as value_rc
    from {{ ref('mart_mrr_movement') }} as movements
    inner join last_months on movements.period_key = last_months.month_key
    where movements.mrr_end_amt <> 0
),

-- Quarters only, as the mart is; `unlinked` is the billing of no deal.
compared as (
    select
        periods.period_key,
        bridge.scope_type,
        bridge.scope_key,
        coalesce(bridge.deal_key, bridge.row_type) as record_key,
        case when bridge.deal_key is null then bridge.row_type else 'deal' end as record_type,
        bridge.forecast_rc,
        bridge.billed_rc
    from {{ ref('mart_billed_vs_forecast') }} as bridge
    inner join periods on bridge.period_key = periods.period_key
    where bridge.row_type <> 'rollup' and bridge.scope_type in ('company', 'owner')
),

forecasts as (
    select
        period_key,
        unnest(['forecast', 'billed']) as metric,
        case scope_type when 'owner' then 'user' else 'company' end as scope_type,
        case scope_type when 'owner' then scope_key else 'company' end as scope_key,
        record_type,
        record_key,
        unnest([forecast_rc, billed_rc]) as value_rc
    from compared
),

-- Net of credit notes dated up to the period's end, of invoices that have any.
credited as (
    select
        periods.period_key,
        events.invoice_key,
        -sum(events.net_amt) as credited_amt
    from {{ ref('int_invoice_billing_events') }} as events
    inner join periods on events.event_date <= periods.end_date
    where events.event_kind in ('credited', 'credit_voided')
    group by periods.period_key, events.invoice_key
),

of_the_company as (
    select * from flows
    union all
    select * from receivables
    union all
    select * from revenue
    union all
    select * from recurring
),

united as (
    select * from won
    union all
    select * from quotas
    union all
    select
        period_key,
        metric,
        'all' as measure,
        'company' as scope_type,
        'company' as scope_key,
        record_type,
        record_key,
        currency_code,
        amount_amt,
        record_amt,
        value_rc
    from of_the_company
    union all
    select
        period_key,
        metric,
        'all',
        scope_type,
        scope_key,
        record_type,
        record_key,
        '{{ var("reporting_currency") }}',
        value_rc as amount_amt,
        value_rc as record_amt,
        value_rc
    from forecasts
),

final as (
    select
        concat_ws(
            '|', united.period_key, united.metric, united.measure, united.scope_type,
            united.scope_key, united.record_type, united.record_key
        ) as period_figure_key,
        united.period_key,
        united.metric,
        united.measure,
        united.scope_type,
        united.scope_key,
        united.record_type,
        united.record_key,
        united.currency_code,
        cast(united.amount_amt as {{ money_type() }}) as amount_amt,
        cast(united.record_amt as {{ money_type() }}) as record_amt,
        cast(
            case
                when united.record_type = 'invoice' then coalesce(credited.credited_amt, 0)
            end as {{ money_type() }}
        ) as credited_amt,
        cast(united.value_rc as {{ money_type() }}) as value_rc
    from united
    left join credited
        on
            united.record_type = 'invoice'
            and united.period_key = credited.period_key
            and united.record_key = credited.invoice_key
    where united.value_rc <> 0
)

select * from final
