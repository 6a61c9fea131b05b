-- Grain: one row per invoice of a supplier, newest state, with what was paid of it by the as-of.

with bills as (
    {{ newest_versions('int_bills_unioned', 'bill_key') }}
),

payments as (
    {{ newest_versions('int_bill_payments_unioned', 'bill_payment_key') }}
),

paid as (
    select
        bill_key,
        sum(paid_amt) filter (where kind = 'payment') as paid_amt,
        sum(paid_amt) filter (where kind = 'credit') as credited_amt,
        count(*) filter (where kind = 'payment') as n_payments,
        max(paid_date) as last_paid_date
    from payments
    where not is_deleted and paid_date <= {{ as_of_date() }}
    group by bill_key
),

rates as (
    select
        currency_code,
        rate_date,
        rate_to_rc
    from {{ ref('fct_fx_rate') }}
    where rate_type = 'spot'
),

settled as (
    select
        bills.*,
        coalesce(bills.document_rate_to_rc, rates.rate_to_rc) as rate_to_rc,
        bills.status = 'void'
        and coalesce(bills.voided_date <= {{ as_of_date() }}, true) as is_void,
        coalesce(paid.paid_amt, 0) as paid_gross_amt,
        coalesce(paid.credited_amt, 0) as credited_gross_amt,
        coalesce(paid.n_payments, 0) as n_payments,
        paid.last_paid_date,
        bills.gross_amt - coalesce(paid.paid_amt, 0) - coalesce(paid.credited_amt, 0) as rest_amt
    from bills
    left join paid on bills.bill_key = paid.bill_key
    left join rates
        on bills.currency_code = rates.currency_code and bills.issue_date = rates.rate_date
),

final as (
    select
        bill_key,
        bill_id,
        bill_number as number,
        supplier_key,
        supplier_name,
        category,
        case
            when is_void then 'void'
            when status = 'draft' then 'draft'
            when rest_amt <= 0 then 'paid'
            else 'open'
        end as status,
        currency_code,
        source_system,
        connection,
        raw_version_id,
        net_amt,
        tax_amt,
        gross_amt,
        cast(paid_gross_amt as {{ money_type() }}) as paid_gross_amt,
        cast(credited_gross_amt as {{ money_type() }}) as credited_gross_amt,
        cast(
            case when is_void or status = 'draft' then 0 else greatest(rest_amt, 0) end
            as {{ money_type() }}
        ) as balance_amt,
        -- Paid twice, or though it is void: the supplier owes it to us.
        cast(
            case
                when is_void or status = 'draft' then paid_gross_amt
                else greatest(-rest_amt, 0)
            end as {{ money_type() }}
        ) as overpaid_amt,
        source_balance_amt,
        {{ convert_money('net_amt', 'rate_to_rc', "'" ~ var('reporting_currency') ~ "'") }}
            as net_rc,
        cast(rate_to_rc as decimal(18, 9)) as rate_to_rc,
        cast(n_payments as bigint) as n_payments,
        is_deleted,
        issue_date,
        due_date,
        voided_date,
        last_paid_date
    from settled
)

select * from final
