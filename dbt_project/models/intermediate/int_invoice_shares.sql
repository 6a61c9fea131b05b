-- Grain: one row per billable invoice x deal that has a part of it, and one with deal_key
-- null for what belongs to no deal. Shares lie end to end from 0 to 1: an amount is divided
-- as round(amount x share_to) - round(amount x share_from), which adds up to the cent.

with invoices as (
    select *
    from {{ ref('int_invoices_valued') }}
    where is_billable and issue_date is not null
),

allocations as (
    select * from {{ ref('int_invoice_deal_allocations') }}
),

allocated_sums as (
    select
        invoice_key,
        sum(allocated_net_amt) as allocated_net_amt
    from allocations
    group by invoice_key
),

parts as (
    select
        allocations.invoice_key,
        allocations.deal_key,
        invoices.net_amt,
        allocations.allocated_net_amt
    from allocations
    inner join invoices on allocations.invoice_key = invoices.invoice_key
    union all
    select
        invoices.invoice_key,
        cast(null as varchar),
        invoices.net_amt,
        cast(
            invoices.net_amt - coalesce(allocated_sums.allocated_net_amt, 0)
            as {{ money_type() }}
        )
    from invoices
    left join allocated_sums on invoices.invoice_key = allocated_sums.invoice_key
    where
        allocated_sums.invoice_key is null
        or invoices.net_amt <> allocated_sums.allocated_net_amt
),

ranged as (
    select
        parts.*,
        sum(parts.allocated_net_amt) over up_to_here as upto_amt,
        row_number() over up_to_here as part_no,
        count(*) over (partition by parts.invoice_key) as n_parts
    from parts
    window up_to_here as (
        partition by parts.invoice_key order by parts.deal_key nulls last
        rows between unbounded preceding and current row
    )
),

final as (
    select
        invoice_key,
        deal_key,
        allocated_net_amt,
        case
            when part_no = 1 then 0.0
            -- Nothing to measure by: equal parts.
            when net_amt = 0 then cast(part_no - 1 as double) / n_parts
            else cast(upto_amt - allocated_net_amt as double) / cast(net_amt as double)
        end as share_from,
        case
            when part_no = n_parts then 1.0
            when net_amt = 0 then cast(part_no as double) / n_parts
            else cast(upto_amt as double) / cast(net_amt as double)
        end as share_to
    from ranged
)

select * from final
