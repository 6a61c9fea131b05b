-- Grain: one row per fiscal quarter in which leads came x source channel of the lead. Each step
-- is one that the same lead took: lead -> deal -> quote -> invoice -> payment. Leads younger
-- than the window are counted apart and are in no step.

with leads as (
    select
        lead_key,
        coalesce(source_channel, 'unknown') as source_channel,
        is_converted,
        created_date,
        converted_date
    from {{ ref('fct_lead') }}
    where not is_deleted and created_date <= {{ as_of_date() }}
),

-- Of several leads that became one deal, the first one has it.
deals as (
    select
        deal_key,
        lead_key,
        status,
        created_date,
        case when status = 'won' then amount_at_won_rc else amount_rc end as deal_rc,
        fx_rate_to_rc,
        currency_code,
        case when status = 'won' then closed_date end as won_date
    from {{ ref('fct_deal') }}
    where lead_key is not null and not is_deleted and not is_excluded
),

quotes as (
    select
        deal_key,
        currency_code,
        min(coalesce(quote_date, {{ company_date('created_at') }})) as quoted_date,
        arg_max(net_amt, (coalesce(quote_date, {{ company_date('created_at') }}), quote_key))
            as net_amt
    from {{ ref('fct_quote') }}
    where deal_key is not null and not is_deleted and status not in ('draft', 'void')
    group by deal_key, currency_code
),

cash as (
    select * from {{ ref('int_deal_cash') }}
),

dates as (
    select
        date,
        quarter_period_key
    from {{ ref('dim_date') }}
),

followed as (
    select
        leads.lead_key,
        leads.source_channel,
        leads.created_date,
        case
            when deals.deal_key is not null or leads.is_converted
                then least(
                    coalesce(leads.converted_date, deals.created_date),
                    coalesce(deals.created_date, leads.converted_date)
                )
        end as qualified_date,
        deals.created_date as deal_date,
        deals.deal_rc,
        quotes.quoted_date,
        {{ convert_money('quotes.net_amt', 'deals.fx_rate_to_rc',
            "'" ~ var('reporting_currency') ~ "'") }} as quoted_rc,
        deals.won_date,
        case when deals.won_date is not null then deals.deal_rc end as won_rc,
        cash.first_invoice_date as invoiced_date,
        cash.invoiced_net_rc as invoiced_rc,
        cash.first_paid_date as paid_date,
        cash.paid_rc,
        case when cash.paid_rc > cash.refunded_rc then cash.first_paid_date end
            as paid_net_of_refund_date,
        cash.paid_rc - cash.refunded_rc as paid_net_of_refund_rc
    from leads
    left join deals on leads.lead_key = deals.lead_key
    left join quotes
        on deals.deal_key = quotes.deal_key and deals.currency_code = quotes.currency_code
    left join cash on deals.deal_key = cash.deal_key
),

-- From the lead to its first money: nine of ten that paid took no longer.
windows as (
    select
        cast(coalesce(
            {{ var('cohort_window_days', none) or 'null' }},
            ceil(quantile_cont({{ days_between('created_date', 'paid_date') }}, 0.9)),
            90
        ) as bigint) as window_days
    from followed
    where paid_date >= created_date
),

{% set steps = {
    'qualified': 'followed.qualified_date', 'deals': 'followed.deal_date',
    'quoted': 'followed.quoted_date', 'won': 'followed.won_date',
    'invoiced': 'followed.invoiced_date', 'paid': 'followed.paid_date',
    'paid_net_of_refund': 'followed.paid_net_of_refund_date',
} %}
{% set values = {
    'deals': 'deal_rc', 'quoted': 'quoted_rc', 'won': 'won_rc', 'invoiced': 'invoiced_rc',
    'paid': 'paid_rc', 'paid_net_of_refund': 'paid_net_of_refund_rc',
} %}

timed as (
    select
        followed.*,
        dates.quarter_period_key as cohort_period_key,
        windows.window_days,
        followed.created_date + cast(windows.window_days as integer) <= {{ as_of_date() }}
            as is_mature,
        {% for step, date in steps.items() %}
            coalesce(
                followed.created_date + cast(windows.window_days as integer)
                <= {{ as_of_date() }}
                and {{ date }} <= followed.created_date + cast(windows.window_days as integer),
                false
            ) as is_{{ step }}{{ ',' if not loop.last }}
        {% endfor %}
    from followed
    inner join dates on followed.created_date = dates.date
    cross join windows
),

final as (
    select
        concat_ws('|', cohort_period_key, source_channel) as funnel_lead_to_cash_key,
        cohort_period_key,
        source_channel,
        {% for step, value in values.items() %}
            cast(coalesce(sum({{ value }}) filter (where is_{{ step }}), 0)
                as {{ money_type() }}) as {{ step }}_rc,
        {% endfor %}
        count(*) filter (where is_mature) as leads_n,
        {% for step in steps %}
            count(*) filter (where is_{{ step }}) as {{ step }}_n,
        {% endfor %}
        count(*) filter (where not is_mature) as n_immature,
        count(*) filter (where is_deals and deal_rc is null) as n_without_amount,
        window_days,
        {{ ratio('count(*) filter (where is_qualified)', 'count(*) filter (where is_mature)') }}
            as qualified_rate,
        {{ ratio('count(*) filter (where is_won)', 'count(*) filter (where is_mature)') }}
            as won_rate,
        {{ ratio(
            'count(*) filter (where is_paid_net_of_refund)', 'count(*) filter (where is_mature)'
        ) }} as paid_net_rate,
        {{ as_of_date() }} as as_of_date
    from timed
    group by cohort_period_key, source_channel, window_days
)

select * from final
