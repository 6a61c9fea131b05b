-- Grain: one row per scope x fiscal period (month, quarter, year) x measure x credit type x forecast
-- type x currency basis x unit, as of the build's date: what a forecast screen shows of what was
-- asked for, won and open, by every filter that it offers.
--
-- A deal is added up where its person stood when it counted, day by day, before it is spread over
-- scopes and periods: a million deals are few rows by then.

{% set rc = "'" ~ var('reporting_currency') ~ "'" %}
{% set grains = ['month', 'quarter', 'year'] %}

-- A credit deal (amount below nothing) covers no gap, an omitted one is never forecast.
with credits as (
    select
        deal_key,
        credit_type,
        user_key,
        share,
        share_from,
        share_to,
        status,
        measure,
        credited_at,
        case status when 'won' then closed_date else expected_close_date end as due_date
    from {{ ref('int_deal_credits') }}
    where status = 'won' or (not is_omitted and coalesce(deal_amount_rc >= 0, true))
),

deals as (
    select
        deal_key,
        status,
        case status
            when 'won' then 'won' else {{ open_category('forecast_category') }}
        end as category,
        cast(probability as decimal(9, 6)) as probability,
        case status
            when 'won' then coalesce(currency_at_won, currency_code) else currency_code
        end as currency_code,
        case status when 'won' then amount_at_won_amt else amount_amt end as amount_amt,
        case status when 'won' then amount_at_won_rc else amount_rc end as amount_rc,
        case status when 'won' then closed_date else {{ as_of_date() }} end as rate_date
    from {{ ref('fct_deal') }}
    where deal_key in (select credits.deal_key from credits)
),

-- What the rates of its invoices made of the part of a deal that is billed.
billed as (
    select
        deal_key,
        variance_fx_rc
    from {{ ref('mart_deal_billing_recon') }}
    where deal_key is not null and variance_fx_rc <> 0
),

rates as (
    select
        currency_code,
        rate_type,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type in ('spot', 'budget')
),

lines as (
    select
        lines.deal_key,
        lines.currency_code as line_currency_code,
        lines.quantity,
        lines.net_amt,
        lines.is_recurring,
        deals.currency_code,
        deals.rate_date
    from {{ ref('int_deal_lines') }} as lines
    inner join deals on lines.deal_key = deals.deal_key
),

line_figures as (
    select
        deal_key,
        case when is_recurring then 'recurring' else 'one_time' end as forecast_type,
        coalesce(line_currency_code, currency_code) as unit,
        rate_date,
        cast(sum(net_amt) as {{ money_type() }}) as figure
    from lines
    group by deal_key, forecast_type, unit, rate_date
    having sum(net_amt) is not null
),

figures as (
    select
        deals.deal_key,
        'amount' as forecast_type,
        deals.currency_code as unit,
        deals.amount_amt as figure,
        deals.amount_rc as deal_rate_rc,
        case
            when deals.status = 'won' then deals.amount_rc + coalesce(billed.variance_fx_rc, 0)
            else deals.amount_rc
        end as invoice_rate_rc
    from deals
    left join billed on deals.deal_key = billed.deal_key
    where deals.amount_amt is not null
    union all
    -- Of these the types below say nothing. A company without any line has none of them.
    select
        deal_key,
        'without_lines',
        currency_code,
        amount_amt,
        amount_rc,
        null
    from deals
    where
        amount_amt is not null
        and deal_key not in (select lines.deal_key from lines)
        and exists (select 1 from lines)
    union all
    select
        line_figures.deal_key,
        line_figures.forecast_type,
        line_figures.unit,
        line_figures.figure,
        {{ convert_money('line_figures.figure', 'rates.rate_to_rc', rc) }},
        null
    from line_figures
    left join rates
        on
            line_figures.unit = rates.currency_code
            and line_figures.rate_date = rates.rate_date
            and rates.rate_type = 'spot'
    union all
    select
        deal_key,
        'quantity',
        'units',
        cast(sum(quantity) as {{ money_type() }}),
        null,
        null
    from lines
    group by deal_key
    having sum(quantity) is not null
),

periods as (
    select * from {{ ref('dim_fiscal_period') }}
    where grain in ('month', 'quarter', 'year')
),

calendar as (
    select
        dates.date,
        periods.grain,
        periods.period_key,
        periods.start_date
    from {{ ref('dim_date') }} as dates
    inner join periods
        on periods.period_key in (
            dates.month_period_key, dates.quarter_period_key, dates.year_period_key
        )
    where dates.date in (select credits.due_date from credits)
),

-- The constant rate of a period is that of its quotas: the budget rate of its first day, else spot.
constant_rates as (
    select
        calendar.date,
        units.unit,
        {% for grain in grains -%}
            max(case
                when calendar.grain <> '{{ grain }}' then null
                when units.unit = {{ rc }} then 1
                else coalesce(budget.rate_to_rc, spot.rate_to_rc)
            end) as {{ grain }}_rate{{ ',' if not loop.last }}
        {% endfor %}
    from calendar
    cross join (select distinct unit from figures where unit <> 'units') as units
    {% for rate_type in ['budget', 'spot'] -%}
        left join rates as {{ rate_type }}
            on
                units.unit = {{ rate_type }}.currency_code
                and least(calendar.start_date, {{ as_of_date() }}) = {{ rate_type }}.rate_date
                and {{ rate_type }}.rate_type = '{{ rate_type }}'
    {% endfor -%}
    group by calendar.date, units.unit
),

{% set bases = ['figure', 'deal_rate', 'invoice_rate'] + grains %}

parts as (
    select
        credits.credit_type,
        credits.user_key,
        credits.credited_at,
        credits.measure,
        credits.due_date,
        deals.category,
        deals.probability,
        figures.forecast_type,
        figures.unit,
        {{ figure_part('figures.figure', 'figures.unit') }} as figure,
        {{ figure_part('figures.deal_rate_rc', rc) }} as deal_rate,
        {{ figure_part('figures.invoice_rate_rc', rc) }} as invoice_rate,
        {% for grain in grains -%}
            {%- set figure = convert_money('figures.figure', 'constant_rates.' ~ grain ~ '_rate', rc) -%}
            {{ figure_part(figure, rc) }} as {{ grain }}{{ ',' if not loop.last }}
        {% endfor %}
    from credits
    inner join deals on credits.deal_key = deals.deal_key
    inner join figures on credits.deal_key = figures.deal_key
    left join constant_rates
        on credits.due_date = constant_rates.date and figures.unit = constant_rates.unit
    where credits.due_date is not null
),

scopes as (
    select * from {{ ref('int_user_scopes') }}
),

spells as (
    select
        user_key,
        valid_from,
        lead(valid_from, 1, {{ far_future() }}) over (
            partition by user_key order by valid_from
        ) as valid_to
    from (select distinct user_key, valid_from from scopes) as changes
),

-- What is likely is rounded of each part, which is whole cents: never more than what is open.
by_spell as (
    select
        spells.user_key,
        spells.valid_from,
        parts.credit_type,
        parts.measure,
        parts.due_date,
        parts.category,
        parts.forecast_type,
        parts.unit,
        {% for basis in bases -%}
            sum(parts.{{ basis }}) as {{ basis }},
            sum(case when parts.category <> 'won' then {{ round_money(
                'cast(parts.' ~ basis ~ ' as decimal(24, 4))'
                ~ ' * cast(parts.probability as decimal(7, 6))',
                'parts.unit' if basis == 'figure' else rc
            ) }} end) as likely_{{ basis }}{{ ',' if not loop.last }}
        {% endfor %}
    from parts
    inner join spells
        on
            parts.user_key = spells.user_key
            and parts.credited_at >= spells.valid_from
            and parts.credited_at < spells.valid_to
    group by
        spells.user_key, spells.valid_from, parts.credit_type, parts.measure, parts.due_date,
        parts.category, parts.forecast_type, parts.unit
),

by_period as (
    select
        scopes.scope_type,
        scopes.scope_key,
        calendar.period_key,
        by_spell.credit_type,
        by_spell.measure,
        by_spell.category,
        by_spell.forecast_type,
        by_spell.unit,
        {% for prefix in ['', 'likely_'] -%}
            sum(by_spell.{{ prefix }}figure) as {{ prefix }}figure,
            sum(by_spell.{{ prefix }}deal_rate) as {{ prefix }}deal_rate,
            sum(by_spell.{{ prefix }}invoice_rate) as {{ prefix }}invoice_rate,
            sum(case calendar.grain
                {% for grain in grains -%}
                when '{{ grain }}' then by_spell.{{ prefix }}{{ grain }}
                {% endfor -%}
            end) as {{ prefix }}constant_rate{{ ',' if not loop.last }}
        {% endfor %}
    from by_spell
    inner join scopes
        on {{ scope_at('scopes', 'by_spell.user_key', 'by_spell.valid_from') }}
    inner join calendar on by_spell.due_date = calendar.date
    group by
        scopes.scope_type, scopes.scope_key, calendar.period_key, by_spell.credit_type,
        by_spell.measure, by_spell.category, by_spell.forecast_type, by_spell.unit
),

valued as (
    {% for basis in ['transaction', 'deal_rate', 'invoice_rate', 'constant_rate'] -%}
    {%- set figure = 'figure' if basis == 'transaction' else basis -%}
    select
        scope_type,
        scope_key,
        period_key,
        credit_type,
        measure,
        category,
        forecast_type,
        {% if basis == 'transaction' -%}
            case when unit = 'units' then 'none' else 'transaction' end as currency_basis,
            unit,
        {%- else -%}
            '{{ basis }}' as currency_basis,
            {{ rc }} as unit,
        {%- endif %}
        {{ figure }} as figure,
        likely_{{ figure }} as likely
    from by_period
    where {{ figure }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

summed as (
    select
        scope_type,
        scope_key,
        period_key,
        credit_type,
        measure,
        forecast_type,
        currency_basis,
        unit,
        {% for category in ['won', 'commit', 'most_likely', 'best_case', 'pipeline'] -%}
            coalesce(sum(figure) filter (where category = '{{ category }}'), 0) as {{ category }},
        {% endfor -%}
        coalesce(sum(likely), 0) as likely
    from valued
    group by
        scope_type, scope_key, period_key, credit_type, measure, forecast_type, currency_basis, unit
),

-- A quota is in one currency, so that it stands beside the rows that are in one.
quotas as (
    select
        quotas.scope_type,
        quotas.scope_key,
        quotas.period_key,
        quotas.credit_type,
        quotas.measure,
        quotas.forecast_type,
        bases.currency_basis,
        case when quotas.forecast_type = 'quantity' then 'units' else {{ rc }} end as unit,
        coalesce(quotas.quota_rc, quotas.quota_qty) as quota
    from {{ ref('int_quota_in_force') }} as quotas
    inner join (
        select 'deal_rate' as currency_basis
        union all
        select 'invoice_rate'
        union all
        select 'constant_rate'
        union all
        select 'none'
    ) as bases
        on
            (quotas.forecast_type = 'quantity') = (bases.currency_basis = 'none')
            and (quotas.forecast_type = 'amount' or bases.currency_basis <> 'invoice_rate')
),

joined as (
    select
        coalesce(summed.scope_type, quotas.scope_type) as scope_type,
        coalesce(summed.scope_key, quotas.scope_key) as scope_key,
        coalesce(summed.period_key, quotas.period_key) as period_key,
        coalesce(summed.measure, quotas.measure) as measure,
        coalesce(summed.credit_type, quotas.credit_type) as credit_type,
        coalesce(summed.forecast_type, quotas.forecast_type) as forecast_type,
        coalesce(summed.currency_basis, quotas.currency_basis) as currency_basis,
        coalesce(summed.unit, quotas.unit) as unit,
        quotas.quota,
        {% for figure in ['won', 'commit', 'most_likely', 'best_case', 'pipeline', 'likely'] -%}
            coalesce(summed.{{ figure }}, 0) as {{ figure }}{{ ',' if not loop.last }}
        {% endfor %}
    from summed
    full outer join quotas
        on
            summed.scope_type = quotas.scope_type
            and summed.scope_key = quotas.scope_key
            and summed.period_key = quotas.period_key
            and summed.measure = quotas.measure
            and summed.credit_type = quotas.credit_type
            and summed.forecast_type = quotas.forecast_type
            and summed.currency_basis = quotas.currency_basis
            and summed.unit = quotas.unit
),

added as (
    select
        *,
        commit + most_likely + best_case + pipeline as open_in_all
    from joined
),

final as (
    select
        concat_ws(
            '|', added.scope_type, added.scope_key, added.period_key, added.measure,
            added.credit_type, added.forecast_type, added.currency_basis, added.unit
        ) as forecast_quota_key,
        added.scope_type,
        added.scope_key,
        case when added.scope_type in ('user', 'manager') then added.scope_key end as user_key,
        case when added.scope_type = 'team' then added.scope_key end as team_key,
        added.period_key,
        periods.grain as period_grain,
        added.measure,
        added.credit_type,
        added.forecast_type,
        added.currency_basis,
        added.unit,
        {% for column, figure in [
            ('quota_value', 'added.quota'),
            ('won_value', 'added.won'),
            ('gap_value', 'added.quota - added.won'),
            ('commit_value', 'added.won + added.commit'),
            ('most_likely_value', 'added.won + added.commit + added.most_likely'),
            ('best_case_value', 'added.won + added.open_in_all - added.pipeline'),
            ('pipeline_all_value', 'added.won + added.open_in_all'),
            ('open_value', 'added.open_in_all'),
            ('weighted_value', 'added.likely'),
            ('projected_value', 'added.won + added.likely'),
        ] -%}
            cast({{ figure }} as {{ money_type() }}) as {{ column }},
        {% endfor -%}
        {{ ratio('added.won', 'added.quota') }} as attainment,
        case
            when added.quota is not null
                then {{ ratio('added.open_in_all', 'greatest(added.quota - added.won, 0)') }}
        end as coverage,
        periods.is_current as is_current_period,
        periods.is_closed as is_closed_period,
        periods.start_date as period_start_date,
        periods.end_date as period_end_date,
        {{ as_of_date() }} as as_of_date
    from added
    inner join periods on added.period_key = periods.period_key
)

select * from final
