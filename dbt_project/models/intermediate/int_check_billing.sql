-- Grain: one row per check of billing x record that breaks it. Severity error stops the
-- publication (dbt_project/tests/billing), warn is listed in fct_check_result.
-- Amounts in the record's currency unless the detail says otherwise.

with invoices as (
    select *
    from {{ ref('fct_invoice') }}
    where status <> 'draft'
),

line_sums as (
    select
        invoice_key,
        sum(net_amt) as net_amt,
        sum(case when line_kind = 'rounding_or_unexplained' then net_amt else 0 end) as rest_amt
    from {{ ref('fct_invoice_line') }}
    group by invoice_key
),

allocations as (
    select * from {{ ref('fct_payment_allocation') }}
),

allocation_sums as (
    select
        invoice_key,
        sum(applied_amt) as applied_amt
    from allocations
    group by invoice_key
),

credit_notes as (
    select * from {{ ref('fct_credit_note') }}
    where status = 'issued'
),

credit_sums as (
    select
        credit_notes.invoice_key,
        sum(credit_notes.gross_amt) as credited_amt
    from credit_notes
    inner join invoices
        on
            credit_notes.invoice_key = invoices.invoice_key
            and credit_notes.currency_code = invoices.currency_code
    group by credit_notes.invoice_key
),

billed_sums as (
    select
        invoice_key,
        sum(net_amt) as billed_amt
    from {{ ref('int_invoice_billing_events') }}
    group by invoice_key
),

bridge as (
    select * from {{ ref('bridge_deal_invoice') }}
),

recon as (
    select * from {{ ref('mart_deal_billing_recon') }}
),

deals as (
    select * from {{ ref('fct_deal') }}
),

fixings as (
    select
        *,
        median(rate_to_rc) over (
            partition by currency_code
            order by rate_date
            range between interval 30 day preceding and interval 1 day preceding
        ) as usual_rate
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot' and rate_date = filled_from_date and source <> 'identity'
),

broken as (
    select
        'B-01' as check_id,
        'error' as severity,
        'invoice' as record_type,
        invoice_key as record_key,
        gross_amt as value,
        net_amt + tax_amt as limit_value,
        'gross is not net plus tax' as detail
    from invoices
    where gross_amt <> net_amt + tax_amt
    union all
    select
        'B-02',
        'error',
        'invoice',
        invoices.invoice_key,
        coalesce(line_sums.net_amt, 0),
        invoices.net_amt,
        'lines and their rest line do not add up to the net'
    from invoices
    left join line_sums on invoices.invoice_key = line_sums.invoice_key
    where coalesce(line_sums.net_amt, 0) <> invoices.net_amt
    union all
    select
        'B-02',
        'warn',
        'invoice',
        invoices.invoice_key,
        line_sums.rest_amt,
        {{ hundred_minor_units('invoices.currency_code') }},
        'the lines leave more than rounding unexplained'
    from invoices
    inner join line_sums on invoices.invoice_key = line_sums.invoice_key
    where abs(line_sums.rest_amt) > {{ hundred_minor_units('invoices.currency_code') }}
    union all
    select
        'B-03',
        'error',
        'invoice',
        invoices.invoice_key,
        allocation_sums.applied_amt,
        invoices.gross_amt,
        'more is applied than the invoice is worth'
    from invoices
    inner join allocation_sums on invoices.invoice_key = allocation_sums.invoice_key
    left join credit_sums on invoices.invoice_key = credit_sums.invoice_key
    where
        invoices.status <> 'void'
        and allocation_sums.applied_amt > greatest(invoices.gross_amt, 0)
        -- A credit above the invoice is check B-08.
        and coalesce(credit_sums.credited_amt, 0) <= greatest(invoices.gross_amt, 0)
    union all
    select
        'B-03',
        'error',
        'invoice',
        invoices.invoice_key,
        sum(allocations.applied_amt),
        0,
        'applied before issue without being a prepayment'
    from invoices
    inner join allocations on invoices.invoice_key = allocations.invoice_key
    where
        allocations.applied_date < invoices.issue_date
        and allocations.kind in ('payment', 'credit_note', 'refund', 'dispute')
    group by invoices.invoice_key
    union all
    select
        'B-04',
        'error',
        'invoice',
        invoice_key,
        balance_amt,
        source_balance_amt,
        'our open balance differs from the source''s'
    from invoices
    where status = 'open' and source_balance_amt is not null and balance_amt <> source_balance_amt
    union all
    select
        'B-05',
        'warn',
        'invoice',
        invoice_key,
        balance_amt,
        0,
        case status
            when 'paid' then 'called paid, but a balance is open' else 'open without a balance'
        end
    from invoices
    where
        (status = 'paid' and balance_amt > 0)
        or (status = 'open' and balance_amt = 0 and gross_amt <> 0)
    union all
    select
        'B-06',
        'error',
        'invoice',
        invoices.invoice_key,
        coalesce(allocation_sums.applied_amt, 0),
        0,
        'void, but payments or credits are still applied to it'
    from invoices
    inner join allocation_sums on invoices.invoice_key = allocation_sums.invoice_key
    where invoices.status = 'void' and allocation_sums.applied_amt <> 0
    union all
    select
        'B-06',
        'error',
        'invoice',
        invoices.invoice_key,
        billed_sums.billed_amt,
        0,
        'void, but still counted as billed'
    from invoices
    inner join billed_sums on invoices.invoice_key = billed_sums.invoice_key
    where invoices.status = 'void' and billed_sums.billed_amt <> 0
    union all
    select
        'B-07',
        'error',
        'credit_note',
        credit_notes.credit_note_key,
        credit_notes.gross_amt,
        0,
        credit_notes.currency_code || ' credit on a ' || invoices.currency_code || ' invoice'
    from credit_notes
    inner join invoices on credit_notes.invoice_key = invoices.invoice_key
    where credit_notes.currency_code <> invoices.currency_code
    union all
    select
        'B-08',
        'warn',
        'invoice',
        invoices.invoice_key,
        credit_sums.credited_amt,
        invoices.gross_amt,
        'credited more than invoiced'
    from invoices
    inner join credit_sums on invoices.invoice_key = credit_sums.invoice_key
    where credit_sums.credited_amt > invoices.gross_amt
    union all
    select
        'B-09',
        'error',
        'invoice',
        invoices.invoice_key,
        sum(bridge.allocated_net_amt),
        max(invoices.net_amt),
        'more is allocated to deals than the invoice''s net'
    from invoices
    inner join bridge on invoices.invoice_key = bridge.invoice_key
    group by invoices.invoice_key
    having
        (max(invoices.net_amt) >= 0 and sum(bridge.allocated_net_amt) > max(invoices.net_amt))
        or (max(invoices.net_amt) < 0 and sum(bridge.allocated_net_amt) < max(invoices.net_amt))
    union all
    select
        case billing_status
            when 'unbilled_late' then 'B-10'
            when 'billed_not_won' then 'B-11'
            when 'orphaned' then 'B-11'
            else 'B-12'
        end,
        'warn',
        'deal',
        deal_key,
        case billing_status
            when 'unbilled_late' then coalesce(booked_net_amt, 0)
            else billed_net_amt
        end,
        case billing_status
            when 'unbilled_late' then 0
            when 'partly_billed_behind' then expected_billed_to_date_amt
            else coalesce(booked_net_amt, 0)
        end,
        case billing_status
            when 'unbilled_late' then 'won and not billed beyond the grace'
            when 'billed_not_won' then 'billed, but not won'
            when 'orphaned' then 'billed, but the deal is deleted'
            when 'over_billed' then 'billed more than booked'
            else 'billed less than due by now'
        end
    from recon
    where
        billing_status in (
            'unbilled_late', 'billed_not_won', 'orphaned', 'over_billed', 'partly_billed_behind'
        )
    union all
    select distinct
        'B-13',
        'warn',
        'invoice',
        recon.invoice_key,
        recon.invoiced_net_amt,
        0,
        'no deal found, though its company has a deal within 90 days'
    from recon
    inner join invoices on recon.invoice_key = invoices.invoice_key
    inner join deals on invoices.company_key = deals.company_key
    where
        recon.unlinked_class = 'unmatched'
        and not deals.is_deleted
        and deals.status in ('open', 'won')
        and abs({{ days_between('coalesce(deals.closed_date, deals.created_date)',
            'invoices.issue_date') }}) <= 90
    union all
    select
        'B-14',
        'warn',
        'deal_invoice',
        bridge.deal_invoice_key,
        cast(bridge.confidence as {{ money_type() }}),
        0.9,
        'found by amount only and not reviewed for 30 days'
    from bridge
    inner join invoices on bridge.invoice_key = invoices.invoice_key
    where
        bridge.method in ('company_amount', 'domain_amount')
        and {{ days_between('invoices.issue_date', as_of_date()) }} > 30
    union all
    select
        'B-21',
        'warn',
        'deal',
        recon.deal_key,
        recon.credited_net_amt,
        recon.invoiced_net_amt,
        'won, billed and wholly credited within 180 days'
    from recon
    inner join deals on recon.deal_key = deals.deal_key
    where
        recon.deal_status = 'won'
        and recon.invoiced_net_amt > 0
        and recon.credited_net_amt >= recon.invoiced_net_amt
        and exists (
            select 1
            from bridge
            inner join credit_notes on bridge.invoice_key = credit_notes.invoice_key
            where
                bridge.deal_key = recon.deal_key
                and credit_notes.issue_date <= deals.closed_date + 180
        )
    union all
    select
        'B-15',
        'error',
        'billed_vs_forecast',
        billed_vs_forecast_key,
        residual_rc,
        0,
        'the bridge does not close (reporting currency)'
    from {{ ref('mart_billed_vs_forecast') }}
    where residual_rc <> 0
    union all
    select
        'B-17',
        'warn',
        'invoice',
        invoice_key,
        balance_amt,
        0,
        case when due_date is null then 'no due date' else 'due before it was issued' end
    from invoices
    where status in ('open', 'written_off') and (due_date is null or due_date < issue_date)
    union all
    select
        'B-19',
        'error',
        'invoice',
        invoice_key,
        net_amt,
        0,
        'no ' || currency_code || ' rate for ' || cast(issue_date as varchar)
    from invoices
    where rate_to_rc is null
    union all
    select
        'B-19',
        -- A central bank does not mistake the direction; currencies do fall like that.
        case source_system when 'fx' then 'warn' else 'error' end,
        'fx_rate',
        fx_rate_key,
        cast(rate_to_rc as {{ money_type() }}),
        cast(usual_rate as {{ money_type() }}),
        'far from the median of the last 30 days: wrong direction or scale?'
    from fixings
    where
        usual_rate is not null
        and (
            rate_to_rc > usual_rate * 1.2
            or rate_to_rc < usual_rate * 0.8
            -- A rate near 1 turned round moves by less than 20 %: then it has jumped and is
            -- nearer to the inverse of the usual rate than to the usual rate itself.
            or (
                abs(ln(rate_to_rc / usual_rate)) > 0.08
                and abs(ln(rate_to_rc * usual_rate)) < abs(ln(rate_to_rc / usual_rate))
            )
        )
    union all
    select
        'B-19',
        'warn',
        'fx_rate',
        fx_rate_key,
        cast(rate_to_pivot as {{ money_type() }}),
        0,
        'the ' || currency_code || ' fixing of ' || cast(effective_date as varchar)
        || ' was changed after it was published'
    from {{ ref('int_fx_rates_current') }}
    where is_restated
    union all
    select
        'B-20',
        'warn',
        'invoice',
        invoices.invoice_key,
        cast(invoices.rate_to_rc as {{ money_type() }}),
        cast(rates.rate_to_rc as {{ money_type() }}),
        'the document''s rate is more than 3 % off the spot rate'
    from invoices
    inner join {{ ref('fct_fx_rate') }} as rates
        on
            invoices.currency_code = rates.currency_code
            and invoices.issue_date = rates.rate_date
            and rates.rate_type = 'spot'
    where
        invoices.rate_source = 'document'
        and abs(invoices.rate_to_rc - rates.rate_to_rc) > rates.rate_to_rc * 0.03
),

final as (
    select
        check_id,
        severity,
        record_type,
        record_key,
        cast(value as {{ money_type() }}) as value,
        cast(limit_value as {{ money_type() }}) as limit_value,
        detail
    from broken
)

select * from final
