-- Grain: one row per landed version of a Vtiger invoice.
--
-- The total before tax holds shipping, and the adjustment is added to it: what is left of the
-- grand total is the tax. What was received in part is a sum without dates, and no payment.

with stated as (
    select
        *,
        cast(
            coalesce(nullif(net_amount, 0), lines_amount, gross_amount)
            + coalesce(adjustment_amount, 0) as {{ money_type() }}
        ) as before_tax
    from {{ ref('stg_vtiger__invoices') }}
),

invoices as (
    select
        *,
        -- Lines that hold their own tax leave nothing to take off.
        least(before_tax, gross_amount) as stated_net
    from stated
),

currencies as (
    select
        connection,
        currency_id,
        arg_max(currency_code, (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_vtiger__currencies') }}
    where change = 'upsert'
    group by connection, currency_id
)

select
    invoices.invoice_key,
    'vtiger' as source_system,
    invoices.connection,
    invoices.raw_version_id,
    invoices.invoice_id,
    coalesce(invoices.invoice_number, invoices.invoice_id) as invoice_number,
    case lower(invoices.vendor_status)
        when 'cancel' then 'void'
        when 'cancelled' then 'void'
        when 'paid' then 'paid'
        when 'autocreated' then 'draft'
        when 'created' then 'draft'
        else 'open'
    end as status,
    'standard' as kind,
    invoices.connection || ':' || invoices.company_id as customer_key,
    invoices.connection || ':' || invoices.company_id as company_reference,
    invoices.subject as memo,
    invoices.deal_id as deal_reference,
    currencies.currency_code,
    invoices.stated_net as net_amt,
    cast(invoices.gross_amount - invoices.stated_net as {{ money_type() }}) as tax_amt,
    invoices.gross_amount as gross_amt,
    coalesce(invoices.discount_amount, 0) as discount_amt,
    coalesce(invoices.shipping_amount, 0) as shipping_amt,
    invoices.received_amount as source_paid_amt,
    cast(0 as {{ money_type() }}) as overpaid_amt,
    false as is_paid_out_of_band,
    false as is_subscription_start,
    false as has_more_lines,
    invoices.is_deleted,
    coalesce(invoices.issue_date, {{ company_date('invoices.created_at') }}) as issue_date,
    invoices.due_date,
    case
        when lower(invoices.vendor_status) in ('cancel', 'cancelled')
            then {{ company_date('invoices.updated_at') }}
    end as voided_date,
    case
        when lower(invoices.vendor_status) = 'paid' then {{ company_date('invoices.updated_at') }}
    end as paid_date,
    invoices.observed_at,
    invoices.sync_id,
    invoices.position
from invoices
left join currencies
    on
        invoices.connection = currencies.connection
        and invoices.currency_id = currencies.currency_id
