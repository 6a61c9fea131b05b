-- Grain: one row per case of after-sales service, newest state.

with tickets as (
    {{ newest_versions('int_tickets_unioned', 'ticket_key') }}
),

-- How often a solved one was seen open again, and since when it has been solved this time; for
-- sources that say neither.
turns as (
    select
        ticket_key,
        status,
        observed_at,
        lag(status) over (
            partition by ticket_key order by observed_at, sync_id, position
        ) as previous_status
    from {{ ref('int_tickets_unioned') }}
    where change in ('upsert', 'archived')
),

seen as (
    select
        ticket_key,
        count(*) filter (where status = 'open' and previous_status = 'solved') as n_reopened,
        max(observed_at) filter (
            where status = 'solved' and coalesce(previous_status, 'open') = 'open'
        ) as solved_at
    from turns
    group by ticket_key
),

companies as (
    select
        record_key,
        any_value(company_key) as company_key
    from {{ ref('int_company_identities') }}
    group by record_key
),

survivors as (
    select * from {{ ref('int_deal_survivors') }}
),

deals as (
    select
        deal_key,
        company_key
    from {{ ref('fct_deal') }}
),

dated as (
    select
        tickets.* exclude (n_reopened, solved_at),
        greatest(coalesce(tickets.n_reopened, 0), seen.n_reopened) as n_reopened,
        case
            when tickets.status = 'solved' then coalesce(tickets.solved_at, seen.solved_at)
        end as solved_at
    from tickets
    left join seen on tickets.ticket_key = seen.ticket_key
),

final as (
    select
        dated.ticket_key,
        dated.ticket_id,
        dated.ticket_number as number,
        coalesce(companies.company_key, deals.company_key, dated.source_company_key)
            as company_key,
        deals.deal_key,
        case
            when dated.solved_at <= {{ as_of_at() }} then 'solved' else 'open'
        end as status,
        dated.vendor_status,
        coalesce(dated.severity, 'normal') as severity,
        dated.source_system,
        dated.connection,
        dated.raw_version_id,
        cast(dated.n_reopened as bigint) as n_reopened,
        coalesce(dated.is_status_assumed, false) as is_status_assumed,
        dated.severity is null as is_severity_assumed,
        dated.is_deleted,
        {{ company_date('dated.opened_at') }} as opened_date,
        case
            when dated.solved_at <= {{ as_of_at() }} then {{ company_date('dated.solved_at') }}
        end as solved_date,
        dated.opened_at,
        case
            when dated.first_response_at <= {{ as_of_at() }} then dated.first_response_at
        end as first_response_at,
        case when dated.solved_at <= {{ as_of_at() }} then dated.solved_at end as solved_at
    from dated
    left join companies on dated.source_company_key = companies.record_key
    left join survivors on dated.source_deal_key = survivors.deal_key
    left join deals
        on coalesce(survivors.survivor_deal_key, dated.source_deal_key) = deals.deal_key
    where coalesce(dated.opened_at <= {{ as_of_at() }}, false)
)

select * from final
