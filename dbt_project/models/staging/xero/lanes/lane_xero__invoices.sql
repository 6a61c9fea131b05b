-- Grain: one row per landed version of a Xero sales invoice; bills are no sales.
--
-- Net is what is left of the total without tax: SubTotal holds the tax where prices do. Xero
-- keeps no date of a void: it is taken from the edit that did it. CurrencyRate says how many
-- units of the document's currency one unit of the organisation's is; here it is turned round,
-- and nowhere else. It is of use where the organisation keeps its books in the reporting currency.

with invoices as (
    select *
    from {{ ref('stg_xero__invoices') }}
    where document_type = 'ACCREC'
),

organisations as (
    select
        connection,
        arg_max(base_currency_code, (observed_at, sync_id, position)) as base_currency_code
    from {{ ref('stg_xero__organisation') }}
    where not is_deleted
    group by connection
)

select
    invoices.invoice_key,
    invoices.source_system,
    invoices.connection,
    invoices.raw_version_id,
    invoices.invoice_id,
    invoices.invoice_number,
    case invoices.status
        when 'PAID' then 'paid'
        when 'AUTHORISED' then 'open'
        when 'VOIDED' then 'void'
        else 'draft'
    end as status,
    case when invoices.repeating_invoice_id is not null then 'recurring' else 'standard' end as kind,
    invoices.contact_key as customer_key,
    invoices.contact_name as customer_name,
    invoices.contact_email as customer_email,
    invoices.reference as po_number,
    nullif(concat_ws(' ', invoices.reference, invoices.url), '') as memo,
    {{ xero_deal_reference('invoices.reference', 'invoices.url') }} as deal_reference,
    invoices.currency_code,
    cast(invoices.net_amount as {{ money_type() }}) as net_amt,
    invoices.tax_amount as tax_amt,
    invoices.gross_amount as gross_amt,
    coalesce({{ list_total('invoices.lines', xero_line_discount('line'), 'line') }}, 0)
        as discount_amt,
    cast(0 as {{ money_type() }}) as shipping_amt,
    case when invoices.status = 'VOIDED' then 0 else invoices.amount_due end as source_balance_amt,
    invoices.amount_paid as source_paid_amt,
    cast(0 as {{ money_type() }}) as overpaid_amt,
    case
        when organisations.base_currency_code <> '{{ var("reporting_currency") }}' then null
        when invoices.currency_code = organisations.base_currency_code then 1
        else cast({{ decimal_ratio('1', 'invoices.currency_rate', 12, 9) }} as decimal(18, 9))
    end as document_rate_to_rc,
    false as is_paid_out_of_band,
    false as is_subscription_start,
    false as has_more_lines,
    invoices.is_deleted,
    invoices.issue_date,
    coalesce(invoices.due_date, invoices.issue_date) as due_date,
    case when invoices.status = 'VOIDED' then {{ company_date('invoices.source_updated_at') }} end
        as voided_date,
    case when invoices.status = 'PAID' then invoices.fully_paid_date end as paid_date,
    invoices.observed_at,
    invoices.sync_id,
    invoices.position
from invoices
left join organisations on invoices.connection = organisations.connection
