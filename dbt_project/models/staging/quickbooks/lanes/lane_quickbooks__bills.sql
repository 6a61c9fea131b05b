-- Grain: one row per landed version of a supplier's bill in QuickBooks. There are no drafts and no
-- voids; its category is the account of its largest line.

with bills as (
    select * from {{ ref('stg_quickbooks__bills') }}
),

homes as (
    {{ quickbooks_homes() }}
),

in_currency as (
    select
        bills.*,
        coalesce(bills.currency_code, homes.home_currency_code) as document_currency_code,
        homes.home_currency_code
    from bills
    left join homes on bills.connection = homes.connection
)

select
    bill_key,
    bill_id,
    source_system,
    connection,
    bill_number,
    supplier_key,
    supplier_name,
    category,
    'issued' as status,
    document_currency_code as currency_code,
    net_amount as net_amt,
    tax_amount as tax_amt,
    gross_amount as gross_amt,
    balance_amount as source_balance_amt,
    case
        when home_currency_code <> '{{ var("reporting_currency") }}' then null
        when document_currency_code = home_currency_code then 1
        else cast(exchange_rate as decimal(18, 9))
    end as document_rate_to_rc,
    issue_date,
    coalesce(due_date, issue_date) as due_date,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from in_currency
