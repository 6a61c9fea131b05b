-- Grain: one row per accepted invoice x deal: how much of the invoice's net is the deal's.
-- One deal takes the whole invoice. Several deals: stated amounts first (list of links, deal
-- named on a line), then lines whose product only one of the deals sold, then the oldest win
-- first up to what is still unbilled of it. What is left belongs to no deal.
-- Invoices of deals that share one are taken in the order of issue, since each uses up what
-- the next finds unbilled: hence the recursion, over those few deals only.

with recursive invoices as (
    select * from {{ ref('int_invoices_valued') }}
),

links as (
    select
        links.*,
        count(*) over (partition by links.invoice_key) as n_deals
    from {{ ref('int_invoice_links') }} as links
    where links.is_accepted
),

bookings as (
    select * from {{ ref('int_invoice_deal_bookings') }}
),

shared_links as (
    select * from links
    where n_deals > 1
),

line_amounts as (
    select
        invoice_key,
        deal_key,
        sum(net_amt) as net_amt
    from {{ ref('int_invoice_line_deals') }}
    group by invoice_key, deal_key
),

-- Deals that share an invoice, directly or through others, are one group.
neighbours as (
    select distinct
        one.deal_key,
        other.deal_key as neighbour_key
    from shared_links as one
    inner join shared_links as other on one.invoice_key = other.invoice_key
),

reached (deal_key, neighbour_key) as (
    select
        deal_key,
        neighbour_key
    from neighbours
    union
    select
        reached.deal_key,
        neighbours.neighbour_key
    from reached
    inner join neighbours on reached.neighbour_key = neighbours.deal_key
),

deal_groups as (
    select
        deal_key,
        min(neighbour_key) as group_key
    from reached
    group by deal_key
),

group_deals as (
    select
        deal_groups.group_key,
        deal_groups.deal_key,
        bookings.currency_code,
        bookings.deal_rate_to_rc,
        coalesce(bookings.booked_net_amt, 0) as booked_net_amt,
        row_number() over (
            partition by deal_groups.group_key
            order by bookings.won_date nulls last, deal_groups.deal_key
        ) as deal_order
    from deal_groups
    left join bookings on deal_groups.deal_key = bookings.deal_key
),

group_links as (
    select
        deal_groups.group_key,
        links.invoice_key,
        links.deal_key,
        links.n_deals,
        invoices.status,
        invoices.net_amt as invoice_net_amt,
        coalesce(links.stated_net_amt, line_amounts.net_amt) as stated_net_amt,
        -- What a unit of the deal's currency is in the invoice's.
        case
            when invoices.currency_code = group_deals.currency_code then 1.0
            else
                cast(group_deals.deal_rate_to_rc as double)
                / nullif(cast(invoices.rate_to_rc as double), 0)
        end as deal_to_invoice,
        invoices.currency_code,
        group_deals.deal_order,
        dense_rank() over (
            partition by deal_groups.group_key order by invoices.issue_date, invoices.invoice_key
        ) as invoice_order
    from links
    inner join deal_groups on links.deal_key = deal_groups.deal_key
    inner join group_deals on links.deal_key = group_deals.deal_key
    inner join invoices on links.invoice_key = invoices.invoice_key
    left join line_amounts
        on links.invoice_key = line_amounts.invoice_key and links.deal_key = line_amounts.deal_key
),

steps (group_key, deal_key, invoice_order, invoice_key, unbilled_amt, allocated_amt) as (
    select
        group_key,
        deal_key,
        cast(0 as bigint) as invoice_order,
        cast(null as varchar) as invoice_key,
        cast(booked_net_amt as {{ money_type() }}) as unbilled_amt,
        cast(null as {{ money_type() }}) as allocated_amt
    from group_deals
    union all
    select
        shared.group_key,
        shared.deal_key,
        shared.invoice_order,
        shared.invoice_key,
        cast(
            shared.unbilled_amt - case
                when shared.status = 'void' or shared.allocated_amt is null then 0
                else {{ round_money('cast(cast(shared.allocated_amt as double)'
                    ~ ' / nullif(shared.deal_to_invoice, 0) as decimal(38, 9))',
                    'shared.currency_code') }}
            end as {{ money_type() }}
        ),
        shared.allocated_amt
    from (
        select
            wanted.*,
            case
                when wanted.invoice_key is null then null
                when wanted.stated_net_amt is not null then wanted.stated_net_amt
                when wanted.n_deals = 1 then wanted.invoice_net_amt
                -- A negative invoice goes back to the oldest win.
                when wanted.invoice_net_amt < 0
                    then case when wanted.older_n = 0 then wanted.invoice_net_amt else 0 end
                else cast(
                    greatest(
                        least(
                            wanted.room_amt,
                            wanted.invoice_net_amt - wanted.stated_sum_amt - wanted.older_amt
                        ),
                        0
                    ) as {{ money_type() }}
                )
            end as allocated_amt
        from (
            select
                roomy.*,
                coalesce(sum(roomy.room_amt) over (
                    partition by roomy.group_key order by roomy.deal_order
                    rows between unbounded preceding and 1 preceding
                ), 0) as older_amt,
                count(roomy.invoice_key) over (
                    partition by roomy.group_key order by roomy.deal_order
                    rows between unbounded preceding and 1 preceding
                ) as older_n,
                coalesce(sum(roomy.stated_net_amt) over (partition by roomy.group_key), 0)
                    as stated_sum_amt
            from (
                select
                    steps.group_key,
                    steps.deal_key,
                    steps.invoice_order + 1 as invoice_order,
                    steps.unbilled_amt,
                    group_links.invoice_key,
                    group_links.status,
                    group_links.n_deals,
                    group_links.invoice_net_amt,
                    group_links.stated_net_amt,
                    group_links.currency_code,
                    group_links.deal_to_invoice,
                    coalesce(group_links.deal_order, 1000000) as deal_order,
                    case
                        when
                            group_links.invoice_key is null
                            or group_links.stated_net_amt is not null then 0
                        else {{ round_money(
                            'cast(cast(greatest(steps.unbilled_amt, 0) as double)'
                            ~ ' * coalesce(group_links.deal_to_invoice, 0) as decimal(38, 9))',
                            'group_links.currency_code') }}
                    end as room_amt
                from steps
                left join group_links
                    on
                        steps.group_key = group_links.group_key
                        and steps.deal_key = group_links.deal_key
                        and group_links.invoice_order = steps.invoice_order + 1
                where steps.invoice_order < (
                    select max(every_link.invoice_order) from group_links as every_link
                )
            ) as roomy
        ) as wanted
    ) as shared
),

allocated as (
    select
        deal_key,
        invoice_key,
        allocated_amt
    from steps
    where invoice_key is not null
    union all
    select
        links.deal_key,
        links.invoice_key,
        coalesce(links.stated_net_amt, invoices.net_amt)
    from links
    inner join invoices on links.invoice_key = invoices.invoice_key
    where links.deal_key not in (select deal_groups.deal_key from deal_groups)
),

final as (
    select
        deal_key,
        invoice_key,
        cast(allocated_amt as {{ money_type() }}) as allocated_net_amt
    from allocated
)

select * from final
