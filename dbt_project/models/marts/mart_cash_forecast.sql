-- Grain: one row per week x currency x source class: what is expected from this week on, and for
-- past weeks what was expected 4, 8 and 13 weeks before, and what came.

{% set history_weeks = var('cash_history_weeks') %}
{% set horizons = [4, 8, 13] %}

with this_week as (
    select cast(date_trunc('week', {{ as_of_date() }}) as date) as week_start
),

-- Payments of bills go out: negative, so that a class and the sum of all read alike.
expected as (
    select
        before_date,
        is_now,
        source_class,
        currency_code,
        week_start,
        case when source_class = 'bills' then -expected_amt else expected_amt end as net_amt
    from {{ ref('int_cash_expected') }}
),

bills as (
    select
        bill_key,
        currency_code
    from {{ ref('fct_bill') }}
    where not is_deleted
),

bill_payments as (
    {{ newest_versions('int_bill_payments_unioned', 'bill_payment_key') }}
),

-- Money that came is of no one class: an invoice of today was pipeline thirteen weeks before.
moved as (
    select
        'receipts' as source_class,
        currency_code,
        applied_date as moved_date,
        applied_amt as net_amt
    from {{ ref('fct_payment_allocation') }}
    where kind in ('payment', 'prepayment', 'refund', 'dispute')
    union all
    select
        'bills',
        bills.currency_code,
        bill_payments.paid_date,
        -bill_payments.paid_amt
    from bill_payments
    inner join bills on bill_payments.bill_key = bills.bill_key
    where bill_payments.kind = 'payment' and not bill_payments.is_deleted
),

came as (
    select
        moved.source_class,
        moved.currency_code,
        cast(date_trunc('week', moved.moved_date) as date) as week_start,
        moved.net_amt
    from moved
    cross join this_week
    where
        moved.moved_date < this_week.week_start
        and moved.moved_date >= this_week.week_start - 7 * {{ history_weeks }}
),

told as (
    select
        source_class,
        currency_code,
        week_start,
        case when is_now and source_class <> 'bills' then net_amt end as receipts_amt,
        case when is_now and source_class = 'bills' then -net_amt end as payments_amt,
        {%- for n in horizons %}
        case when not is_now and week_start - before_date = {{ 7 * n }} then net_amt end
            as said_{{ n }}w_amt,
        {%- endfor %}
        cast(null as {{ money_type() }}) as actual_amt
    from expected
    union all
    select
        source_class,
        currency_code,
        week_start,
        null,
        null,
        {%- for n in horizons %}
        null,
        {%- endfor %}
        net_amt
    from came
),

-- Each class, all receipts, and everything.
grouped as (
    select
        source_class,
        currency_code,
        week_start,
        receipts_amt,
        payments_amt,
        {%- for n in horizons %}
        said_{{ n }}w_amt,
        {%- endfor %}
        actual_amt
    from told
    union all
    select
        case groups.name when 'receipts' then 'receipts' else 'all' end,
        told.currency_code,
        told.week_start,
        told.receipts_amt,
        told.payments_amt,
        {%- for n in horizons %}
        told.said_{{ n }}w_amt,
        {%- endfor %}
        told.actual_amt
    from told
    cross join (values ('receipts'), ('all')) as groups (name)
    where
        (groups.name = 'all')
        or (groups.name = 'receipts' and told.source_class not in ('receipts', 'bills'))
),

summed as (
    select
        grouped.source_class,
        grouped.currency_code,
        grouped.week_start,
        grouped.week_start < this_week.week_start as is_past,
        coalesce(sum(grouped.receipts_amt), 0) as receipts_amt,
        coalesce(sum(grouped.payments_amt), 0) as payments_amt,
        {%- for n in horizons %}
        coalesce(sum(grouped.said_{{ n }}w_amt), 0) as said_{{ n }}w_amt,
        {%- endfor %}
        coalesce(sum(grouped.actual_amt), 0) as actual_amt
    from grouped
    cross join this_week
    group by
        grouped.source_class, grouped.currency_code, grouped.week_start, this_week.week_start
),

rates as (
    select
        currency_code,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot' and rate_date = {{ as_of_date() }}
),

final as (
    select
        concat_ws('|', summed.week_start, summed.currency_code, summed.source_class)
            as cash_forecast_key,
        summed.source_class,
        summed.currency_code,
        cast(case when not summed.is_past then summed.receipts_amt end as {{ money_type() }})
            as receipts_amt,
        cast(case when not summed.is_past then summed.payments_amt end as {{ money_type() }})
            as payments_amt,
        cast(
            case when not summed.is_past then summed.receipts_amt - summed.payments_amt end
            as {{ money_type() }}
        ) as net_amt,
        case
            when not summed.is_past
                then {{ convert_money('(summed.receipts_amt - summed.payments_amt)',
                    'rates.rate_to_rc', "'" ~ var('reporting_currency') ~ "'") }}
        end as net_rc,
        {%- for n in horizons %}
        cast(case when summed.is_past then summed.said_{{ n }}w_amt end as {{ money_type() }})
            as said_{{ n }}w_amt,
        {%- endfor %}
        cast(
            case
                when summed.is_past and summed.source_class in ('receipts', 'bills', 'all')
                    then summed.actual_amt
            end as {{ money_type() }}
        ) as actual_amt,
        {%- for n in horizons %}
        cast(
            case
                when summed.is_past and summed.source_class in ('receipts', 'bills', 'all')
                    then summed.said_{{ n }}w_amt - summed.actual_amt
            end as {{ money_type() }}
        ) as error_{{ n }}w_amt,
        {%- endfor %}
        summed.is_past,
        {{ as_of_date() }} as as_of_date,
        summed.week_start
    from summed
    left join rates on summed.currency_code = rates.currency_code
)

select * from final
