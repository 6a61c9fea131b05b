-- Grain: one row per deal x invoice that belong together, candidates that wait for a person
-- included (is_accepted false, nothing allocated).

with links as (
    select * from {{ ref('int_invoice_links') }}
),

allocations as (
    select * from {{ ref('int_invoice_deal_allocations') }}
),

invoices as (
    select
        invoice_key,
        currency_code,
        source_system,
        connection,
        raw_version_id,
        net_amt
    from {{ ref('int_invoices_valued') }}
),

allocated_sums as (
    select
        invoice_key,
        sum(allocated_net_amt) as allocated_net_amt
    from allocations
    group by invoice_key
),

final as (
    select
        links.deal_invoice_key,
        links.deal_key,
        links.invoice_key,
        links.method,
        invoices.currency_code,
        invoices.source_system,
        invoices.connection,
        invoices.raw_version_id,
        cast(links.evidence as varchar) as evidence,
        cast(coalesce(allocations.allocated_net_amt, 0) as {{ money_type() }})
            as allocated_net_amt,
        cast(
            invoices.net_amt - coalesce(allocated_sums.allocated_net_amt, 0)
            as {{ money_type() }}
        ) as unallocated_net_amt,
        links.confidence,
        links.is_manual,
        links.is_accepted,
        false as is_deleted
    from links
    inner join invoices on links.invoice_key = invoices.invoice_key
    left join allocations
        on links.deal_key = allocations.deal_key and links.invoice_key = allocations.invoice_key
    left join allocated_sums on links.invoice_key = allocated_sums.invoice_key
)

select * from final
