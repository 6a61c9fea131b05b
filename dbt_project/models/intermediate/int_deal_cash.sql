-- Grain: one row per deal with a billed invoice: what was invoiced, credited, paid and given
-- back of its share, in the reporting currency. Bills at their invoice's rate, money at the
-- rate of the day on which it moved.

with invoices as (
    select
        invoice_key,
        rate_to_rc
    from {{ ref('int_invoices_valued') }}
    where is_billable
),

shares as (
    select * from {{ ref('int_invoice_shares') }}
    where deal_key is not null
),

rates as (
    select
        currency_code,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot'
),

billed as (
    select
        deal_key,
        min(event_date) filter (where event_kind = 'issued') as first_invoice_date,
        coalesce(sum(net_rc) filter (where event_kind in ('issued', 'voided')), 0)
            as invoiced_net_rc,
        coalesce(-sum(net_rc) filter (where event_kind not in ('issued', 'voided')), 0)
            as credited_net_rc
    from {{ ref('int_invoice_billing_events') }}
    where deal_key is not null
    group by deal_key
),

moved as (
    select
        allocations.invoice_key,
        allocations.applied_date,
        allocations.kind in ('payment', 'prepayment') as is_in,
        {{ convert_money('allocations.applied_amt',
            'coalesce(rates.rate_to_rc, invoices.rate_to_rc)',
            "'" ~ var('reporting_currency') ~ "'") }} as moved_rc
    from {{ ref('int_payment_allocations') }} as allocations
    inner join invoices on allocations.invoice_key = invoices.invoice_key
    left join rates
        on
            allocations.currency_code = rates.currency_code
            and allocations.applied_date = rates.rate_date
    where allocations.kind in ('payment', 'prepayment', 'refund', 'dispute')
),

cash as (
    select
        invoice_key,
        min(applied_date) filter (where is_in) as first_paid_date,
        coalesce(sum(moved_rc) filter (where is_in), 0) as paid_rc,
        coalesce(-sum(moved_rc) filter (where not is_in), 0) as refunded_rc
    from moved
    group by invoice_key
),

-- Shares lie end to end from 0 to 1: their parts of one amount add up to it.
shared as (
    select
        shares.deal_key,
        cash.first_paid_date,
        {% for amount in ['paid_rc', 'refunded_rc'] %}
            {{ round_money('cast(cast(cash.' ~ amount ~ ' as double) * shares.share_to'
                ~ ' as decimal(38, 9))', "'" ~ var('reporting_currency') ~ "'") }}
            - {{ round_money('cast(cast(cash.' ~ amount ~ ' as double) * shares.share_from'
                ~ ' as decimal(38, 9))', "'" ~ var('reporting_currency') ~ "'") }}
                as {{ amount }}{{ ',' if not loop.last }}
        {% endfor %}
    from shares
    inner join cash on shares.invoice_key = cash.invoice_key
),

paid as (
    select
        deal_key,
        min(first_paid_date) as first_paid_date,
        sum(paid_rc) as paid_rc,
        sum(refunded_rc) as refunded_rc
    from shared
    group by deal_key
),

final as (
    select
        billed.deal_key,
        cast(billed.invoiced_net_rc as {{ money_type() }}) as invoiced_net_rc,
        cast(billed.credited_net_rc as {{ money_type() }}) as credited_net_rc,
        cast(billed.invoiced_net_rc - billed.credited_net_rc as {{ money_type() }})
            as billed_net_rc,
        cast(coalesce(paid.paid_rc, 0) as {{ money_type() }}) as paid_rc,
        cast(coalesce(paid.refunded_rc, 0) as {{ money_type() }}) as refunded_rc,
        billed.first_invoice_date,
        paid.first_paid_date
    from billed
    left join paid on billed.deal_key = paid.deal_key
)

select * from final
