-- Grain: one row per landed version of a Zoho invoice.
--
-- The CRM's invoices know no payments: one is paid when its status says so, on the day of the
-- first edit that said it: later ones that leave the status alone do not move it. What is taken off below the lines is the invoice's own discount.

with worded as (
    select
        *,
        case
            when lower(vendor_status) in ('cancelled', 'canceled', 'void') then 'void'
            when lower(vendor_status) = 'paid' then 'paid'
            when lower(coalesce(vendor_status, '')) in ('created', 'autocreated', 'draft', '')
                then 'draft'
            else 'open'
        end as status,
        cast(
            coalesce(tax_amount, 0)
            + coalesce(
                {{ list_total('lines', 'coalesce(one.Tax, 0)') }}, 0
            ) as {{ money_type() }}
        ) as all_taxes
    from {{ ref('stg_zoho__invoices') }}
),

turned as (
    select
        *,
        lag(status) over (
            partition by invoice_key, has_content order by observed_at, sync_id, position
        ) is distinct from status as is_turn
    from worded
),

counted as (
    select
        *,
        count(*) filter (where is_turn) over (
            partition by invoice_key, has_content order by observed_at, sync_id, position
            rows unbounded preceding
        ) as turn_no
    from turned
),

invoices as (
    select
        *,
        min(updated_at) over (partition by invoice_key, has_content, turn_no) as turned_at
    from counted
),

home_currencies as (
    {{ zoho_home_currencies() }}
)

select
    invoices.invoice_key,
    'zoho' as source_system,
    invoices.connection,
    invoices.raw_version_id,
    invoices.invoice_id,
    coalesce(invoices.invoice_number, invoices.invoice_id) as invoice_number,
    invoices.status,
    'standard' as kind,
    invoices.connection || ':' || invoices.company_id as customer_key,
    invoices.connection || ':' || invoices.company_id as company_reference,
    invoices.po_number,
    invoices.name as memo,
    invoices.deal_id as deal_reference,
    case
        when invoices.has_content
            then coalesce(invoices.currency_code, home_currencies.currency_code)
    end as currency_code,
    cast(invoices.gross_amount - invoices.all_taxes as {{ money_type() }}) as net_amt,
    case when invoices.has_content then invoices.all_taxes end as tax_amt,
    invoices.gross_amount as gross_amt,
    coalesce(invoices.discount_amount, 0) as discount_amt,
    cast(0 as {{ money_type() }}) as shipping_amt,
    case when invoices.status = 'paid' then invoices.gross_amount end as source_paid_amt,
    cast(0 as {{ money_type() }}) as overpaid_amt,
    false as is_paid_out_of_band,
    false as is_subscription_start,
    false as has_more_lines,
    invoices.is_deleted,
    coalesce(invoices.issue_date, {{ company_date('invoices.created_at') }}) as issue_date,
    invoices.due_date,
    case when invoices.status = 'void' then {{ company_date('invoices.turned_at') }} end
        as voided_date,
    case when invoices.status = 'paid' then {{ company_date('invoices.turned_at') }} end
        as paid_date,
    invoices.observed_at,
    invoices.sync_id,
    invoices.position
from invoices
left join home_currencies on invoices.connection = home_currencies.connection
