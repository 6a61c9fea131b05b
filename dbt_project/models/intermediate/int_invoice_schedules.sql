-- Grain: one row per deal whose contract is billed in instalments: term, months between
-- instalments, their number and the day of the first. A deal without a row is billed whole.

with deals as (
    select * from {{ ref('fct_deal') }}
),

quote_lines as (
    select
        deal_key,
        max(term_months) as term_months,
        min(
            case
                when lower(billing_interval) in ('month', 'monthly') then 1
                when lower(billing_interval) in ('quarter', 'quarterly') then 3
                when lower(billing_interval) in ('half_year', 'per_six_months', 'semiannually')
                    then 6
                when lower(billing_interval) in ('year', 'yearly', 'annually', 'annual') then 12
            end
        ) as interval_months
    from {{ ref('fct_quote_line') }}
    where deal_key is not null and not is_deleted
    group by deal_key
),

links as (
    select
        links.deal_key,
        links.invoice_key,
        invoices.subscription_key,
        invoices.service_start,
        invoices.service_end
    from {{ ref('int_invoice_links') }} as links
    inner join {{ ref('int_invoices_valued') }} as invoices
        on links.invoice_key = invoices.invoice_key
    where links.is_accepted and invoices.status <> 'void'
),

subscription_intervals as (
    select
        links.deal_key,
        min(subscriptions.interval_months) as interval_months
    from links
    inner join (
        select
            cast(null as varchar) as subscription_key,
            cast(null as bigint) as interval_months
        where false
        {% if has_source('chargebee') %}
            union all
            select
                subscription_key,
                arg_max(interval_months, (observed_at, sync_id, position))
            from {{ ref('stg_chargebee__subscriptions') }}
            group by subscription_key
        {% endif %}
        {% if has_source('stripe') %}
            union all
            select
                subscription_key,
                coalesce(recurring_interval_count, 1)
                * case recurring_interval when 'year' then 12 when 'month' then 1 end
            from {{ ref('stg_stripe__subscriptions') }}
            qualify
                row_number() over (
                    partition by subscription_key
                    order by observed_at desc, sync_id desc, position desc
                ) = 1
        {% endif %}
    ) as subscriptions
        on links.subscription_key = subscriptions.subscription_key
    group by links.deal_key
),

-- The period that an invoice of the deal serves, to whole months.
served_intervals as (
    select
        deal_key,
        max(
            cast(round(date_diff('day', service_start, service_end) / 30.4375) as bigint)
        ) as interval_months
    from links
    where service_end > service_start
    group by deal_key
),

combined as (
    select
        deals.deal_key,
        coalesce(deals.term_months, quote_lines.term_months) as term_months,
        coalesce(
            subscription_intervals.interval_months,
            quote_lines.interval_months,
            served_intervals.interval_months
        ) as interval_months,
        coalesce(deals.service_start, deals.closed_date) as first_due_date
    from deals
    left join quote_lines on deals.deal_key = quote_lines.deal_key
    left join subscription_intervals on deals.deal_key = subscription_intervals.deal_key
    left join served_intervals on deals.deal_key = served_intervals.deal_key
    where deals.status = 'won'
),

final as (
    select
        deal_key,
        term_months,
        interval_months,
        cast(ceil(cast(term_months as double) / interval_months) as bigint) as n_instalments,
        first_due_date
    from combined
    where
        interval_months >= 1
        and term_months > interval_months
        and first_due_date is not null
)

select * from final
