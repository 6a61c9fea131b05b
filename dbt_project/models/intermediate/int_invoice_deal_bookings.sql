-- Grain: one row per deal that was ever won or has an invoice: what it booked, net.
-- booked_amt null: won without an amount. Not won at the as-of: nothing is booked, 0.

with deals as (
    select *
    from {{ ref('fct_deal') }}
),

links as (
    select
        links.deal_key,
        sum(invoices.tax_amt) as tax_amt,
        sum(invoices.gross_amt) as gross_amt
    from {{ ref('int_invoice_links') }} as links
    inner join {{ ref('int_invoices_valued') }} as invoices
        on links.invoice_key = invoices.invoice_key
    where links.is_accepted and invoices.status <> 'void'
    group by links.deal_key
),

amounts as (
    select
        deals.deal_key,
        coalesce(deals.currency_at_won, deals.currency_code) as currency_code,
        deals.amount_basis,
        deals.status,
        deals.closed_date,
        case
            when deals.status = 'won' and not deals.is_deleted
                then coalesce(deals.amount_at_won_amt, deals.amount_amt)
            else 0
        end as booked_amt,
        links.tax_amt,
        links.gross_amt
    from deals
    left join links on deals.deal_key = links.deal_key
    where deals.status = 'won' or deals.first_won_at is not null or links.deal_key is not null
),

netted as (
    select
        amounts.*,
        case
            -- Tax by the linked invoices' own rate: a gross amount against net invoices
            -- would look over-billed by the tax.
            when amounts.amount_basis = 'gross' and amounts.gross_amt > 0
                then amounts.booked_amt - {{ round_money(
                    "cast(cast(amounts.booked_amt as double) * cast(amounts.tax_amt as double)"
                    ~ " / cast(amounts.gross_amt as double) as decimal(38, 9))",
                    'amounts.currency_code') }}
            else amounts.booked_amt
        end as booked_net_amt,
        amounts.amount_basis <> 'net'
        and not (amounts.amount_basis = 'gross' and coalesce(amounts.gross_amt, 0) > 0)
            as is_tax_basis_unknown
    from amounts
),

rates as (
    select
        currency_code,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot'
),

final as (
    select
        netted.deal_key,
        netted.currency_code,
        netted.status,
        cast(netted.booked_net_amt as {{ money_type() }}) as booked_net_amt,
        {{ convert_money('netted.booked_net_amt', 'rates.rate_to_rc',
            "'" ~ var('reporting_currency') ~ "'") }} as booked_net_rc,
        rates.rate_to_rc as deal_rate_to_rc,
        netted.is_tax_basis_unknown,
        case when netted.status = 'won' then netted.closed_date end as won_date
    from netted
    left join rates
        on
            netted.currency_code = rates.currency_code
            and rates.rate_date = case when netted.status = 'won' then netted.closed_date end
)

select * from final
