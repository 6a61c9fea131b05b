-- Grain: one row per check x record that fails it, as of the build.
--
-- There is no memory of earlier runs here: first_failed_at is the instant from which the
-- condition held, read from the record's own dates, so that a rebuild says the same.

with deals as (
    select
        deal_key,
        owner_user_key,
        coalesce(won_at, lost_at, created_at) as decided_at
    from {{ ref('fct_deal') }}
),

invoices as (
    select
        invoice_key,
        issue_date
    from {{ ref('fct_invoice') }}
),

signals as (
    select
        check_id,
        'warn' as severity,
        'deal' as record_type,
        deal_key as record_key,
        deal_key,
        value,
        limit_value,
        detail,
        since_at
    from {{ ref('int_deal_signals') }}
),

billing as (
    select
        checks.check_id,
        checks.severity,
        checks.record_type,
        checks.record_key,
        case when checks.record_type = 'deal' then checks.record_key end as deal_key,
        cast(checks.value as double) as value,
        cast(checks.limit_value as double) as limit_value,
        checks.detail,
        coalesce(
            {{ start_of_day('invoices.issue_date') }}, deals.decided_at, {{ as_of_at() }}
        ) as since_at
    from (
        select * from {{ ref('int_check_billing') }}
        union all
        select * from {{ ref('int_check_billing_periods') }}
        union all
        select * from {{ ref('int_check_invoice_numbers') }}
    ) as checks
    left join invoices
        on checks.record_type = 'invoice' and checks.record_key = invoices.invoice_key
    left join deals on checks.record_type = 'deal' and checks.record_key = deals.deal_key
),

united as (
    select * from signals
    union all
    select * from {{ ref('int_check_deals') }}
    union all
    select * from {{ ref('int_check_invariants') }}
    union all
    select * from {{ ref('int_check_pipeline') }}
    union all
    select * from {{ ref('int_check_sources') }}
    union all
    select * from billing
),

-- Several findings of one check about one record are one row: the gravest, then the oldest.
distinct_rows as (
    select *
    from united
    qualify
        row_number() over (
            partition by check_id, record_type, record_key
            order by severity, since_at, detail
        ) = 1
),

final as (
    select
        concat_ws('|', found.check_id, found.record_type, found.record_key) as check_result_key,
        found.check_id,
        found.severity,
        found.record_type,
        found.record_key,
        found.deal_key,
        deals.owner_user_key,
        found.detail,
        found.value,
        found.limit_value,
        {{ as_of_date() }} as as_of_date,
        found.since_at as first_failed_at,
        {{ as_of_at() }} as last_failed_at,
        cast(null as {{ instant_type() }}) as resolved_at
    from distinct_rows as found
    left join deals on found.deal_key = deals.deal_key
)

select * from final
