-- Grain: one row per landed version of a HubSpot ticket. A stage is open or closed by its pipeline; the
-- history of stages tells when it was closed this time, and how often it was taken up again. A stage
-- that no pipeline shows any more leaves it open, and says so. One that names a person alone is of
-- the person's company.

with listed_stages as (
    select
        connection,
        observed_at,
        sync_id,
        position,
        unnest(stages) as stage
    from {{ ref('stg_hubspot__ticket_pipelines') }}
),

stages as (
    select
        connection,
        stage.id as stage_id,
        arg_max(stage.label, (observed_at, sync_id, position)) as stage_name,
        arg_max(upper(stage.metadata.ticketState) = 'CLOSED', (observed_at, sync_id, position))
            as is_closed
    from listed_stages
    group by connection, stage.id
),

contacts as (
    select
        connection,
        contact_id,
        arg_max(associated_company_id, (observed_at, sync_id, position)) as company_id
    from {{ ref('stg_hubspot__contacts') }}
    where change = 'upsert'
    group by connection, contact_id
),

tickets as (
    select * from {{ ref('stg_hubspot__tickets') }}
),

entries as (
    select
        raw_version_id,
        connection,
        unnest(stage_history) as entry
    from tickets
),

entered as (
    select
        entries.raw_version_id,
        entries.entry.timestamp as entered_at,
        coalesce(stages.is_closed, false) as is_closed,
        lag(coalesce(stages.is_closed, false)) over in_order as was_closed,
        max(case when not coalesce(stages.is_closed, false) then entries.entry.timestamp end) over (
            partition by entries.raw_version_id
        ) as last_open_at
    from entries
    left join stages
        on entries.connection = stages.connection and entries.entry.value = stages.stage_id
    window in_order as (partition by entries.raw_version_id order by entries.entry.timestamp)
),

turns as (
    select
        raw_version_id,
        count(*) filter (where was_closed and not is_closed) as n_reopened,
        min(entered_at) filter (
            where is_closed and (last_open_at is null or entered_at > last_open_at)
        ) as closed_at
    from entered
    group by raw_version_id
)

select
    tickets.ticket_key,
    tickets.ticket_id,
    'hubspot' as source_system,
    tickets.connection,
    tickets.connection || ':' || coalesce(tickets.company_id, contacts.company_id)
        as source_company_key,
    tickets.connection || ':' || tickets.deal_id as source_deal_key,
    case when coalesce(stages.is_closed, false) then 'solved' else 'open' end as status,
    coalesce(stages.stage_name, tickets.stage_id) as vendor_status,
    stages.stage_id is null as is_status_assumed,
    case tickets.vendor_severity
        when 'low' then 'low'
        when 'medium' then 'normal'
        when 'high' then 'high'
        when 'urgent' then 'critical'
    end as severity,
    turns.n_reopened,
    tickets.created_at as opened_at,
    tickets.first_response_at,
    case
        when coalesce(stages.is_closed, false) then coalesce(turns.closed_at, tickets.closed_at)
    end as solved_at,
    tickets.change,
    tickets.is_deleted,
    tickets.observed_at,
    tickets.sync_id,
    tickets.position,
    tickets.raw_version_id
from tickets
left join turns on tickets.raw_version_id = turns.raw_version_id
left join stages
    on tickets.connection = stages.connection and tickets.stage_id = stages.stage_id
left join contacts
    on tickets.connection = contacts.connection and tickets.contact_id = contacts.contact_id
