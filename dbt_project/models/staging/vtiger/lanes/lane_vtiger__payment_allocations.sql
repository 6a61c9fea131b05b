-- Grain: one row per landed version of a Vtiger invoice that shows another sum received.
--
-- Vtiger knows no payments: what came in is one sum on the invoice. A rise from one version to
-- the next is a payment, a fall one given back; each is dated by the edit that showed it, and
-- lies behind the day on which the sum was last seen unchanged. Money on a cancelled invoice
-- stays the customer's.

with versions as (
    select
        invoices.invoice_key,
        invoices.connection,
        invoices.raw_version_id,
        invoices.status,
        case when invoices.status = 'void' then 0 else invoices.source_paid_amt end as settled_amt,
        invoices.issue_date,
        {{ company_date('stated.created_at') }} as created_date,
        {{ company_date('stated.updated_at') }} as changed_date,
        invoices.observed_at,
        invoices.sync_id,
        invoices.position
    from {{ ref('lane_vtiger__invoices') }} as invoices
    inner join {{ ref('stg_vtiger__invoices') }} as stated
        on invoices.raw_version_id = stated.raw_version_id
    where stated.change = 'upsert'
),

followed as (
    select
        *,
        lag(status) over (
            partition by invoice_key order by observed_at, sync_id, position
        ) as status_before,
        settled_amt - coalesce(lag(settled_amt) over (
            partition by invoice_key order by observed_at, sync_id, position
        ), 0) as moved_amt,
        coalesce(
            {{ company_date('lag(observed_at) over (partition by invoice_key order by observed_at, sync_id, position)') }},
            created_date
        ) as unmoved_date,
        last_value(issue_date) over (
            partition by invoice_key
            order by observed_at, sync_id, position
            rows between unbounded preceding and unbounded following
        ) as newest_issue_date
    from versions
),

moves as (
    select
        *,
        case
            when status = 'void' or coalesce(status_before, '') = 'void' then 'balance_credit'
            when moved_amt < 0 then 'refund'
            when changed_date < newest_issue_date then 'prepayment'
            else 'payment'
        end as kind
    from followed
    where moved_amt <> 0
)

select
    concat(invoice_key, ':received:', raw_version_id) as payment_allocation_key,
    invoice_key,
    case
        when kind in ('payment', 'prepayment')
            then concat(invoice_key, ':received:', raw_version_id)
    end as payment_key,
    'vtiger' as source_system,
    connection,
    raw_version_id,
    kind,
    cast(moved_amt as {{ money_type() }}) as applied_amt,
    true as is_implied,
    false as is_deleted,
    -- Nothing but a payment can come before the invoice.
    case
        when kind = 'prepayment' then changed_date
        else greatest(changed_date, newest_issue_date)
    end as applied_date,
    least(unmoved_date, changed_date) as not_before_date,
    observed_at,
    sync_id,
    position
from moves
