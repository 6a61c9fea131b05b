-- Grain: one row per landed version of a QuickBooks invoice, or of a sale that was paid at once.
--
-- There are no drafts in the API. A void keeps its row with zeros; its day is that of the edit.
-- ExchangeRate is home units for one foreign unit, of use where the company keeps its books in
-- the reporting currency. Balance is what is left after the deposit that was taken with the
-- invoice: the deposit is money (lane_quickbooks__payments).

with documents as (
    select
        *,
        'standard' as kind
    from {{ ref('stg_quickbooks__invoices') }}
    union all by name
    select
        * exclude (balance_amount),
        cast(0 as {{ money_type() }}) as balance_amount,
        'self_serve' as kind
    from {{ ref('stg_quickbooks__sales_receipts') }}
),

homes as (
    {{ quickbooks_homes() }}
),

in_currency as (
    select
        documents.*,
        coalesce(documents.currency_code, homes.home_currency_code) as document_currency_code,
        homes.home_currency_code
    from documents
    left join homes on documents.connection = homes.connection
)

select
    document_key as invoice_key,
    source_system,
    connection,
    raw_version_id,
    document_id as invoice_id,
    document_number as invoice_number,
    case
        when is_void then 'void'
        when balance_amount = 0 then 'paid'
        else 'open'
    end as status,
    kind,
    customer_key,
    customer_name,
    bill_email as customer_email,
    connection || ':' || list_filter(linked, lambda one: one.TxnType = 'Estimate')[1].TxnId
        as quote_key,
    {{ quickbooks_field('(^|[^a-z])p[.]?o([^a-z]|$)') }} as po_number,
    nullif(concat_ws(' ', private_note, customer_memo), '') as memo,
    {{ quickbooks_deal_reference() }} as deal_reference,
    document_currency_code as currency_code,
    net_amount as net_amt,
    tax_amount as tax_amt,
    gross_amount as gross_amt,
    coalesce({{ list_total(
        "list_filter(lines, lambda one: one.DetailType = 'DiscountLineDetail')", 'one.Amount'
    ) }}, 0) as discount_amt,
    coalesce({{ list_total(
        'list_filter(lines, lambda one: ' ~ quickbooks_is_shipping('one') ~ ')', 'one.Amount'
    ) }}, 0) as shipping_amt,
    balance_amount as source_balance_amt,
    cast(0 as {{ money_type() }}) as overpaid_amt,
    case
        when home_currency_code <> '{{ var("reporting_currency") }}' then null
        when document_currency_code = home_currency_code then 1
        else cast(exchange_rate as decimal(18, 9))
    end as document_rate_to_rc,
    false as is_paid_out_of_band,
    false as is_subscription_start,
    false as has_more_lines,
    is_deleted,
    issue_date,
    coalesce(due_date, issue_date) as due_date,
    case when is_void then {{ company_date('source_updated_at') }} end as voided_date,
    observed_at,
    sync_id,
    position
from in_currency
