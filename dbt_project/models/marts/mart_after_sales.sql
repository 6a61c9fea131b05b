-- Grain: one row per company x fiscal month, from the company's first case to the month of the
-- as-of; cases of which nobody knows whose they are belong to company `unknown`.

{% set severities = ['low', 'normal', 'high', 'critical'] %}

with months as (
    select
        period_key,
        start_date,
        end_date,
        least(end_date, {{ as_of_date() }}) as last_date,
        least({{ start_of_day('end_date + 1') }}, {{ as_of_at() }}) as end_at
    from {{ ref('dim_fiscal_period') }}
    where grain = 'month' and start_date <= {{ as_of_date() }}
),

business_days as (
    select
        date,
        is_business_day,
        coalesce(sum(cast(is_business_day as integer)) over (
            order by date rows between unbounded preceding and 1 preceding
        ), 0) as business_days_before
    from {{ ref('dim_date') }}
),

tickets as (
    select
        *,
        coalesce(company_key, 'unknown') as customer_key,
        {{ company_date('first_response_at') }} as response_date
    from {{ ref('fct_ticket') }}
    where not is_deleted
),

opened as (
    select
        tickets.customer_key,
        months.start_date,
        tickets.severity,
        tickets.n_reopened,
        tickets.solved_at,
        {{ business_second_no('response_days', 'tickets.first_response_at') }}
        - ({{ business_second_no('opened_days', 'tickets.opened_at') }}) as response_seconds
    from tickets
    inner join months on tickets.opened_date between months.start_date and months.end_date
    left join business_days as opened_days on tickets.opened_date = opened_days.date
    left join business_days as response_days on tickets.response_date = response_days.date
),

solved as (
    select
        tickets.customer_key,
        months.start_date,
        tickets.severity
    from tickets
    inner join months on tickets.solved_date between months.start_date and months.end_date
),

opened_sums as (
    select
        customer_key,
        start_date,
        count(*) as n,
        {%- for severity in severities %}
        count(*) filter (where severity = '{{ severity }}') as {{ severity }}_n,
        {%- endfor %}
        round(median(response_seconds) / 3600, 2) as response_hours,
        count(*) filter (where n_reopened > 0) as reopened_n,
        count(*) filter (where n_reopened > 0 or solved_at is not null) as once_solved_n
    from opened
    group by customer_key, start_date
),

solved_sums as (
    select
        customer_key,
        start_date,
        count(*) as n,
        {%- for severity in severities %}
        count(*) filter (where severity = '{{ severity }}') as {{ severity }}_n
        {{- ',' if not loop.last }}
        {%- endfor %}
    from solved
    group by customer_key, start_date
),

first_months as (
    select
        customer_key,
        min(start_date) as first_date
    from opened
    group by customer_key
),

counted as (
    select
        first_months.customer_key,
        months.period_key,
        months.start_date,
        months.last_date,
        months.end_at,
        coalesce(opened_sums.n, 0) as opened_n,
        coalesce(solved_sums.n, 0) as solved_n,
        {%- for severity in severities %}
        sum(
            coalesce(opened_sums.{{ severity }}_n, 0) - coalesce(solved_sums.{{ severity }}_n, 0)
        ) over until_month as open_{{ severity }}_n,
        {%- endfor %}
        opened_sums.response_hours,
        {{ ratio('opened_sums.reopened_n', 'opened_sums.once_solved_n') }} as reopened_share
    from first_months
    inner join months on first_months.first_date <= months.start_date
    left join opened_sums
        on
            first_months.customer_key = opened_sums.customer_key
            and months.start_date = opened_sums.start_date
    left join solved_sums
        on
            first_months.customer_key = solved_sums.customer_key
            and months.start_date = solved_sums.start_date
    window until_month as (
        partition by first_months.customer_key
        order by months.start_date
        rows between unbounded preceding and current row
    )
),

-- A company that has bought before buys again or more; so does a deal whose measure says so.
customers as (
    select
        deals.company_key,
        min(decisions.decided_date) as first_won_date
    from {{ ref('int_deal_decisions') }} as decisions
    inner join {{ ref('fct_deal') }} as deals on decisions.deal_key = deals.deal_key
    where decisions.outcome = 'won'
    group by deals.company_key
),

rates as (
    select
        currency_code,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot'
),

-- What was open with them at the month's end, where a grave case was open as well.
exposed as (
    select
        counted.customer_key,
        counted.start_date,
        sum({{ convert_money('versions.amount_amt', 'rates.rate_to_rc',
            "'" ~ var('reporting_currency') ~ "'") }}) as open_rc
    from counted
    inner join {{ ref('fct_deal') }} as deals on counted.customer_key = deals.company_key
    inner join {{ ref('fct_deal_version') }} as versions
        on
            deals.deal_key = versions.survivor_deal_key
            and counted.end_at >= versions.valid_from
            and counted.end_at < coalesce(versions.valid_to, {{ far_future() }})
    left join customers on counted.customer_key = customers.company_key
    left join rates
        on
            versions.currency_code = rates.currency_code
            and counted.last_date = rates.rate_date
    where
        counted.open_high_n + counted.open_critical_n > 0
        and versions.status = 'open'
        and versions.amount_amt > 0
        and not versions.is_deleted
        and not versions.is_merged_away
        and not deals.is_excluded
        and (
            deals.measure in ('renewal', 'renewals', 'expansion', 'expansions', 'upsell')
            or coalesce(customers.first_won_date <= counted.last_date, false)
        )
    group by counted.customer_key, counted.start_date
),

final as (
    select
        concat_ws('|', counted.customer_key, counted.period_key) as after_sales_key,
        counted.customer_key as company_key,
        counted.period_key,
        cast(coalesce(exposed.open_rc, 0) as {{ money_type() }}) as exposed_open_rc,
        cast(counted.response_hours as decimal(9, 2)) as median_first_response_hours,
        counted.reopened_share,
        cast(counted.opened_n as bigint) as opened_n,
        cast(counted.solved_n as bigint) as solved_n,
        {%- for severity in severities %}
        cast(counted.open_{{ severity }}_n as bigint) as open_{{ severity }}_n,
        {%- endfor %}
        counted.start_date as month_start_date
    from counted
    left join exposed
        on
            counted.customer_key = exposed.customer_key
            and counted.start_date = exposed.start_date
)

select * from final
