-- Grain: one row per dated change of what is billed net x deal (deal_key null: no deal's).
-- Kinds: issued +, credited -, credit_voided +, voided -, voided_credit +. A void invoice
-- takes all of it back on its void date, so that the period of issue keeps its figure.
-- net_amt is in the invoice's currency, net_deal_amt in the deal's. net_rc is at the
-- invoice's rate, net_at_deal_rate_rc at the rate of the day the deal was won; where the
-- deal is not won there is no such rate and both are equal.

with invoices as (
    select *
    from {{ ref('int_invoices_valued') }}
    where is_billable
),

shares as (
    select * from {{ ref('int_invoice_shares') }}
),

line_deals as (
    select * from {{ ref('int_invoice_line_deals') }}
),

-- A credit in another currency is check B-07's; it cannot lower the invoice.
credit_notes as (
    select
        credit_notes.*,
        invoices.status = 'void' as is_on_void_invoice
    from {{ ref('int_credit_notes_current') }} as credit_notes
    inner join invoices
        on
            credit_notes.invoice_key = invoices.invoice_key
            and credit_notes.currency_code = invoices.currency_code
),

-- Credits follow the invoice line they credit where that line is one deal's.
followed_credits as (
    select
        credit_notes.credit_note_key,
        line_deals.deal_key,
        sum(lines.net_amt) as net_amt
    from {{ ref('int_credit_note_lines_current') }} as lines
    inner join credit_notes on lines.credit_note_key = credit_notes.credit_note_key
    inner join line_deals
        on
            lines.invoice_line_key = line_deals.invoice_line_key
            and credit_notes.invoice_key = line_deals.invoice_key
    group by credit_notes.credit_note_key, line_deals.deal_key
),

followed_sums as (
    select
        credit_note_key,
        sum(net_amt) as net_amt
    from followed_credits
    group by credit_note_key
),

credit_parts as (
    select
        credit_notes.credit_note_key,
        credit_notes.invoice_key,
        shares.deal_key,
        credit_notes.issue_date,
        credit_notes.voided_date,
        credit_notes.is_on_void_invoice,
        cast(
            coalesce(followed_credits.net_amt, 0)
            + {{ round_money('cast(cast(credit_notes.net_amt - coalesce(followed_sums.net_amt, 0)'
                ~ ' as double) * shares.share_to as decimal(38, 9))',
                'credit_notes.currency_code') }}
            - {{ round_money('cast(cast(credit_notes.net_amt - coalesce(followed_sums.net_amt, 0)'
                ~ ' as double) * shares.share_from as decimal(38, 9))',
                'credit_notes.currency_code') }}
            as {{ money_type() }}
        ) as net_amt
    from credit_notes
    inner join shares on credit_notes.invoice_key = shares.invoice_key
    left join followed_credits
        on
            credit_notes.credit_note_key = followed_credits.credit_note_key
            and shares.deal_key = followed_credits.deal_key
    left join followed_sums on credit_notes.credit_note_key = followed_sums.credit_note_key
),

events as (
    select
        invoices.invoice_key,
        cast(null as varchar) as credit_note_key,
        shares.deal_key,
        'issued' as event_kind,
        invoices.issue_date as event_date,
        shares.allocated_net_amt as net_amt
    from invoices
    inner join shares on invoices.invoice_key = shares.invoice_key
    union all
    select
        invoices.invoice_key,
        cast(null as varchar),
        shares.deal_key,
        'voided',
        invoices.voided_date,
        cast(-shares.allocated_net_amt as {{ money_type() }})
    from invoices
    inner join shares on invoices.invoice_key = shares.invoice_key
    where invoices.status = 'void'
    union all
    select
        invoice_key,
        credit_note_key,
        deal_key,
        'credited',
        issue_date,
        cast(-net_amt as {{ money_type() }})
    from credit_parts
    union all
    select
        invoice_key,
        credit_note_key,
        deal_key,
        'credit_voided',
        voided_date,
        net_amt
    from credit_parts
    where voided_date is not null
    union all
    select
        credit_parts.invoice_key,
        credit_parts.credit_note_key,
        credit_parts.deal_key,
        'voided_credit',
        greatest(invoices.voided_date, credit_parts.issue_date),
        credit_parts.net_amt
    from credit_parts
    inner join invoices on credit_parts.invoice_key = invoices.invoice_key
    where credit_parts.is_on_void_invoice and credit_parts.voided_date is null
),

rates as (
    select
        currency_code,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot'
),

bookings as (
    select * from {{ ref('int_invoice_deal_bookings') }}
),

rated as (
    select
        events.*,
        invoices.source_system,
        invoices.connection,
        invoices.currency_code,
        invoices.rate_to_rc,
        coalesce(rates_at_won.rate_to_rc, invoices.rate_to_rc) as rate_at_won_to_rc,
        coalesce(bookings.currency_code, invoices.currency_code) as deal_currency_code,
        coalesce(bookings.deal_rate_to_rc, rates_of_deal.rate_to_rc) as deal_rate_to_rc
    from events
    inner join invoices on events.invoice_key = invoices.invoice_key
    left join bookings on events.deal_key = bookings.deal_key
    left join rates as rates_at_won
        on
            invoices.currency_code = rates_at_won.currency_code
            and bookings.won_date = rates_at_won.rate_date
    left join rates as rates_of_deal
        on
            bookings.currency_code = rates_of_deal.currency_code
            and invoices.issue_date = rates_of_deal.rate_date
),

-- Parts of one document are valued as differences of running totals: they add up to the
-- document's own value in the reporting currency.
running as (
    select
        rated.*,
        sum(net_amt) over (
            partition by invoice_key, credit_note_key, event_kind
            order by deal_key nulls last
            rows between unbounded preceding and current row
        ) as upto_amt
    from rated
),

valued as (
    select
        running.*,
        cast(
            {{ convert_money('upto_amt', 'rate_to_rc', "'" ~ var('reporting_currency') ~ "'") }}
            - {{ convert_money('(upto_amt - net_amt)', 'rate_to_rc',
                "'" ~ var('reporting_currency') ~ "'") }}
            as {{ money_type() }}
        ) as net_rc
    from running
),

final as (
    select
        concat_ws(
            '|', invoice_key, credit_note_key, event_kind, coalesce(deal_key, 'no deal')
        ) as billing_event_key,
        invoice_key,
        credit_note_key,
        deal_key,
        event_kind,
        source_system,
        connection,
        currency_code,
        deal_currency_code,
        net_amt,
        case
            when deal_currency_code = currency_code then net_amt
            else {{ round_money(
                'cast(cast(net_amt as double) * cast(rate_at_won_to_rc as double)'
                ~ ' / nullif(cast(deal_rate_to_rc as double), 0) as decimal(38, 9))',
                'deal_currency_code') }}
        end as net_deal_amt,
        net_rc,
        case
            when rate_at_won_to_rc = rate_to_rc then net_rc
            else {{ convert_money('net_amt', 'rate_at_won_to_rc',
                "'" ~ var('reporting_currency') ~ "'") }}
        end as net_at_deal_rate_rc,
        event_date
    from valued
)

select * from final
