-- Grain: one row per landed version of a Xero bill (ACCPAY); its category is the account of its
-- largest line. Xero keeps no date of a void: it is taken from the edit that did it. The rate is
-- turned round as an invoice's is (lane_xero__invoices).

with bills as (
    select
        *,
        list_reverse_sort(list_transform(
            coalesce(lines, []),
            lambda line: {'amount': line.LineAmount, 'account_code': line.AccountCode}
        ))[1].account_code as account_code
    from {{ ref('stg_xero__invoices') }}
    where document_type = 'ACCPAY'
),

organisations as (
    select
        connection,
        arg_max(base_currency_code, (observed_at, sync_id, position)) as base_currency_code
    from {{ ref('stg_xero__organisation') }}
    where not is_deleted
    group by connection
),

accounts as (
    select
        connection,
        account_code,
        arg_max(account_name, (observed_at, sync_id, position)) as account_name
    from {{ ref('stg_xero__accounts') }}
    group by connection, account_code
)

select
    bills.invoice_key as bill_key,
    bills.invoice_id as bill_id,
    bills.source_system,
    bills.connection,
    bills.invoice_number as bill_number,
    bills.contact_key as supplier_key,
    bills.contact_name as supplier_name,
    coalesce(accounts.account_name, bills.account_code) as category,
    case bills.status
        when 'VOIDED' then 'void'
        when 'AUTHORISED' then 'issued'
        when 'PAID' then 'issued'
        else 'draft'
    end as status,
    bills.currency_code,
    cast(bills.net_amount as {{ money_type() }}) as net_amt,
    bills.tax_amount as tax_amt,
    bills.gross_amount as gross_amt,
    case when bills.status = 'VOIDED' then 0 else bills.amount_due end as source_balance_amt,
    case
        when organisations.base_currency_code <> '{{ var("reporting_currency") }}' then null
        when bills.currency_code = organisations.base_currency_code then 1
        else cast({{ decimal_ratio('1', 'bills.currency_rate', 12, 9) }} as decimal(18, 9))
    end as document_rate_to_rc,
    bills.issue_date,
    coalesce(bills.due_date, bills.issue_date) as due_date,
    case when bills.status = 'VOIDED' then {{ company_date('bills.source_updated_at') }} end
        as voided_date,
    bills.change,
    bills.is_deleted,
    bills.observed_at,
    bills.sync_id,
    bills.position,
    bills.raw_version_id
from bills
left join organisations on bills.connection = organisations.connection
left join accounts
    on bills.connection = accounts.connection and bills.account_code = accounts.account_code
