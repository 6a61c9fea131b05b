-- Grain: one row per landed version of a Chargebee invoice; money in major units.
--
-- The number is the id. A write-off leaves the invoice "paid"; its amount says that it was not.

with subscriptions as (
    select
        subscription_key,
        arg_max(deal_reference, (observed_at, sync_id, position)) as deal_reference
    from {{ ref('stg_chargebee__subscriptions') }}
    group by subscription_key
),

base_currencies as (
    select
        connection,
        arg_max(base_currency_code, (observed_at, sync_id, position)) as base_currency_code
    from {{ ref('stg_chargebee__subscriptions') }}
    where base_currency_code is not null
    group by connection
),

quotes as (
    select
        invoice_key,
        arg_max(quote_key, (observed_at, sync_id, position)) as quote_key,
        arg_max(deal_reference, (observed_at, sync_id, position)) as deal_reference
    from {{ ref('stg_chargebee__quotes') }}
    where invoice_key is not null and not is_deleted
    group by invoice_key
),

invoices as (
    select
        invoices.*,
        invoices.write_off_minor > 0 and invoices.status = 'paid' as is_written_off,
        list_filter(
            coalesce(invoices.adjustments, []),
            lambda one: one.cn_reason_code = 'write_off'
            or lower(trim(one.cn_create_reason_code)) = 'write off'
        ) as write_offs
    from {{ ref('stg_chargebee__invoices') }} as invoices
)

select
    invoices.invoice_key,
    invoices.source_system,
    invoices.connection,
    invoices.raw_version_id,
    invoices.invoice_id,
    invoices.invoice_id as invoice_number,
    case
        when invoices.is_written_off then 'written_off'
        when invoices.status = 'pending' then 'draft'
        when invoices.status = 'voided' then 'void'
        when invoices.status = 'paid' then 'paid'
        else 'open'
    end as status,
    case when invoices.is_recurring then 'recurring' else 'standard' end as kind,
    invoices.customer_key,
    invoices.customer_name,
    invoices.customer_email,
    invoices.subscription_key,
    quotes.quote_key,
    invoices.po_number,
    invoices.memo,
    -- The quote that became the invoice speaks for it.
    coalesce(invoices.deal_reference, quotes.deal_reference) as deal_reference,
    subscriptions.deal_reference as subscription_deal_reference,
    invoices.currency_code,
    {{ chargebee_money('invoices.total_minor - invoices.tax_minor', 'invoices.currency_code') }}
        as net_amt,
    {{ chargebee_money('invoices.tax_minor', 'invoices.currency_code') }} as tax_amt,
    {{ chargebee_money('invoices.total_minor', 'invoices.currency_code') }} as gross_amt,
    {{ chargebee_money('invoices.discount_minor', 'invoices.currency_code') }} as discount_amt,
    cast(0 as {{ money_type() }}) as shipping_amt,
    {{ chargebee_money(
        "case invoices.status when 'voided' then 0 else invoices.amount_due_minor end",
        'invoices.currency_code') }} as source_balance_amt,
    {{ chargebee_money('invoices.amount_paid_minor', 'invoices.currency_code') }}
        as source_paid_amt,
    cast(0 as {{ money_type() }}) as overpaid_amt,
    -- Units of the site's base currency per unit of the invoice's.
    case
        when
            coalesce(invoices.base_currency_code, base_currencies.base_currency_code)
            = '{{ var("reporting_currency") }}'
            and invoices.exchange_rate > 0
            then invoices.exchange_rate
    end as document_rate_to_rc,
    false as is_paid_out_of_band,
    invoices.is_first and invoices.is_recurring as is_subscription_start,
    invoices.has_more_lines,
    invoices.is_deleted,
    {{ company_date('invoices.issued_at') }} as issue_date,
    {{ company_date('coalesce(invoices.due_at, invoices.issued_at)') }} as due_date,
    {{ company_date('invoices.voided_at') }} as voided_date,
    case
        when invoices.is_written_off
            then {{ company_date('coalesce('
                ~ chargebee_instant('invoices.write_offs[1].cn_date')
                ~ ', invoices.paid_at)') }}
    end as written_off_date,
    case
        when not invoices.is_written_off then {{ company_date('invoices.paid_at') }}
    end as paid_date,
    {{ company_date(chargebee_instant(
        'list_min(list_transform(invoices.lines, lambda one: one.date_from))')) }} as service_start,
    {{ chargebee_last_day(
        'list_min(list_transform(invoices.lines, lambda one: one.date_from))',
        'list_max(list_transform(invoices.lines, lambda one: one.date_to))') }} as service_end,
    invoices.observed_at,
    invoices.sync_id,
    invoices.position
from invoices
left join subscriptions on invoices.subscription_key = subscriptions.subscription_key
left join quotes on invoices.invoice_key = quotes.invoice_key
left join base_currencies on invoices.connection = base_currencies.connection
