-- Grain: one row per customer x currency x fiscal month with recurring revenue at its start or
-- its end. mrr_start + new + expansion - contraction - churn + reactivation = mrr_end, and with
-- fx in the reporting currency. Classified by customer: of two subscriptions, the end of one is
-- contraction.

with months as (
    select
        period_key,
        start_date,
        least(end_date, {{ as_of_date() }}) as last_date,
        row_number() over (order by start_date) as month_no
    from {{ ref('dim_fiscal_period') }}
    where grain = 'month' and start_date <= {{ as_of_date() }}
),

companies as (
    select
        customer_key,
        min(company_key) as company_key
    from {{ ref('int_invoices_valued') }}
    group by customer_key
),

held as (
    select
        subscription_months.customer_key,
        subscription_months.currency_code,
        months.month_no,
        any_value(subscription_months.source_system) as source_system,
        any_value(subscription_months.connection) as connection,
        min(subscription_months.raw_version_id) as raw_version_id,
        count(*) as n_subscriptions,
        bool_or(subscription_months.is_assumed) as is_assumed,
        sum(subscription_months.mrr_amt) as mrr_amt
    from {{ ref('int_subscription_months') }} as subscription_months
    inner join months on subscription_months.period_key = months.period_key
    group by
        subscription_months.customer_key,
        subscription_months.currency_code,
        months.month_no
),

first_months as (
    select
        customer_key,
        currency_code,
        min(month_no) as first_month_no
    from held
    group by customer_key, currency_code
),

-- Each month held, and the month after it, in which it may be gone.
places as (
    select
        customer_key,
        currency_code,
        month_no
    from held
    union
    select
        customer_key,
        currency_code,
        month_no + 1
    from held
    where month_no < (select max(month_no) from months)
),

moves as (
    select
        places.customer_key,
        places.currency_code,
        places.month_no,
        coalesce(ends.source_system, starts.source_system) as source_system,
        coalesce(ends.connection, starts.connection) as connection,
        coalesce(ends.raw_version_id, starts.raw_version_id) as raw_version_id,
        coalesce(ends.n_subscriptions, 0) as n_subscriptions,
        coalesce(ends.is_assumed, starts.is_assumed) as is_assumed,
        coalesce(starts.mrr_amt, 0) as mrr_start_amt,
        coalesce(ends.mrr_amt, 0) as mrr_end_amt,
        places.month_no = first_months.first_month_no as is_first
    from places
    inner join first_months
        on
            places.customer_key = first_months.customer_key
            and places.currency_code = first_months.currency_code
    left join held as starts
        on
            places.customer_key = starts.customer_key
            and places.currency_code = starts.currency_code
            and places.month_no = starts.month_no + 1
    left join held as ends
        on
            places.customer_key = ends.customer_key
            and places.currency_code = ends.currency_code
            and places.month_no = ends.month_no
),

rates as (
    select
        currency_code,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot'
),

classified as (
    select
        moves.*,
        months.period_key,
        months.start_date,
        start_rates.rate_to_rc as start_rate_to_rc,
        end_rates.rate_to_rc as end_rate_to_rc,
        case when moves.is_first then mrr_end_amt else 0 end as new_amt,
        case when not moves.is_first and mrr_start_amt = 0 then mrr_end_amt else 0 end
            as reactivation_amt,
        case when mrr_start_amt > 0 then greatest(mrr_end_amt - mrr_start_amt, 0) else 0 end
            as expansion_amt,
        case when mrr_end_amt > 0 then greatest(mrr_start_amt - mrr_end_amt, 0) else 0 end
            as contraction_amt,
        case when mrr_end_amt = 0 then mrr_start_amt else 0 end as churn_amt
    from moves
    inner join months on moves.month_no = months.month_no
    left join rates as start_rates
        on
            moves.currency_code = start_rates.currency_code
            and months.start_date - 1 = start_rates.rate_date
    left join rates as end_rates
        on
            moves.currency_code = end_rates.currency_code
            and months.last_date = end_rates.rate_date
),

valued as (
    select
        *,
        {%- for name in ['new', 'reactivation', 'expansion', 'contraction', 'churn'] %}
        {{ convert_money(name ~ '_amt', 'end_rate_to_rc',
            "'" ~ var('reporting_currency') ~ "'") }} as {{ name }}_rc,
        {%- endfor %}
        {{ convert_money('mrr_start_amt', 'start_rate_to_rc',
            "'" ~ var('reporting_currency') ~ "'") }} as mrr_start_rc,
        {{ convert_money('mrr_end_amt', 'end_rate_to_rc',
            "'" ~ var('reporting_currency') ~ "'") }} as mrr_end_rc
    from classified
),

final as (
    select
        concat_ws('|', valued.customer_key, valued.currency_code, valued.period_key)
            as mrr_movement_key,
        valued.period_key,
        valued.customer_key,
        companies.company_key,
        valued.currency_code,
        valued.source_system,
        valued.connection,
        valued.raw_version_id,
        cast(valued.mrr_start_amt as {{ money_type() }}) as mrr_start_amt,
        {%- for name in ['new', 'expansion', 'contraction', 'churn', 'reactivation'] %}
        cast(valued.{{ name }}_amt as {{ money_type() }}) as {{ name }}_amt,
        {%- endfor %}
        cast(valued.mrr_end_amt as {{ money_type() }}) as mrr_end_amt,
        valued.mrr_start_rc,
        {%- for name in ['new', 'expansion', 'contraction', 'churn', 'reactivation'] %}
        valued.{{ name }}_rc,
        {%- endfor %}
        -- What the money itself was worth more or less, and the roundings of the others.
        cast(
            valued.mrr_end_rc - valued.mrr_start_rc - valued.new_rc - valued.expansion_rc
            + valued.contraction_rc + valued.churn_rc - valued.reactivation_rc
            as {{ money_type() }}
        ) as fx_rc,
        valued.mrr_end_rc,
        cast(valued.n_subscriptions as bigint) as n_subscriptions,
        valued.is_assumed,
        valued.start_date
    from valued
    left join companies on valued.customer_key = companies.customer_key
)

select * from final
