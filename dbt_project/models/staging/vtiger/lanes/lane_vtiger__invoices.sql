-- Grain: one row per landed version of a Vtiger invoice.
--
-- The total before tax holds shipping, and the adjustment is added to it: what is left of the
-- grand total is the tax. Where lines are taxed one by one, their sum and that total hold their
-- tax. What was received is a sum without dates: lane_vtiger__payment_allocations makes payments
-- of its versions. A status holds since the first edit of those that showed it in a row.

with line_sums as (
    select
        raw_version_id,
        sum(net_amt) as net_amt
    from {{ ref('lane_vtiger__invoice_lines') }}
    where not is_deleted
    group by raw_version_id
),

stated as (
    select
        invoices.*,
        cast(
            coalesce(nullif(invoices.net_amount, 0), invoices.lines_amount, invoices.gross_amount)
            + coalesce(invoices.adjustment_amount, 0)
            - case
                when invoices.is_taxed_by_line
                    then greatest(coalesce(invoices.lines_amount - line_sums.net_amt, 0), 0)
                else 0
            end as {{ money_type() }}
        ) as before_tax,
        coalesce(invoices.received_amount, 0) as received,
        case
            -- Set to Paid by hand, whatever the sum of what was received says.
            when lower(invoices.vendor_status) = 'paid'
                then greatest(coalesce(invoices.received_amount, 0), invoices.gross_amount)
            else coalesce(invoices.received_amount, 0)
        end as settled
    from {{ ref('stg_vtiger__invoices') }} as invoices
    left join line_sums on invoices.raw_version_id = line_sums.raw_version_id
),

worded as (
    select
        *,
        least(before_tax, gross_amount) as stated_net,
        case
            when lower(vendor_status) in ('cancel', 'cancelled') then 'void'
            when lower(vendor_status) in ('autocreated', 'created') then 'draft'
            when lower(vendor_status) = 'paid' then 'paid'
            -- Vtiger computes the balance and leaves the status to its user.
            when gross_amount > 0 and settled >= gross_amount then 'paid'
            else 'open'
        end as status
    from stated
),

turned as (
    select
        *,
        case
            when status = lag(status) over (
                partition by invoice_key order by observed_at, sync_id, position
            ) then 0
            else 1
        end as is_turn
    from worded
),

numbered as (
    select
        *,
        sum(is_turn) over (
            partition by invoice_key
            order by observed_at, sync_id, position
            rows between unbounded preceding and current row
        ) as turn_no
    from turned
),

invoices as (
    select
        *,
        min(updated_at) over (partition by invoice_key, turn_no) as status_since
    from numbered
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
    invoices.status,
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
    -- Only the interface computes it: nothing due where nothing was received was never computed.
    case
        when invoices.balance_amount <> 0 or invoices.received <> 0
            then cast(greatest(invoices.balance_amount, 0) as {{ money_type() }})
    end as source_balance_amt,
    cast(invoices.settled as {{ money_type() }}) as source_paid_amt,
    cast(greatest(invoices.settled - greatest(invoices.gross_amount, 0), 0) as {{ money_type() }})
        as overpaid_amt,
    false as is_paid_out_of_band,
    false as is_subscription_start,
    false as has_more_lines,
    invoices.is_deleted,
    coalesce(invoices.issue_date, {{ company_date('invoices.created_at') }}) as issue_date,
    invoices.due_date,
    case when invoices.status = 'void' then {{ company_date('invoices.status_since') }} end
        as voided_date,
    case when invoices.status = 'paid' then {{ company_date('invoices.status_since') }} end
        as paid_date,
    invoices.observed_at,
    invoices.sync_id,
    invoices.position
from invoices
left join currencies
    on
        invoices.connection = currencies.connection
        and invoices.currency_id = currencies.currency_id
