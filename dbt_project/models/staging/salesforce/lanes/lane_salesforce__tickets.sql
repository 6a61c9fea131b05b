-- Grain: one row per landed version of a case of Salesforce, which says itself whether it is closed,
-- and since when. One that names a person alone is of the person's company.

with contacts as (
    select
        connection,
        contact_id,
        arg_max(company_id, (observed_at, sync_id, position)) as company_id
    from {{ ref('stg_salesforce__contacts') }}
    where has_content
    group by connection, contact_id
)

select
    cases.ticket_key,
    cases.ticket_id,
    'salesforce' as source_system,
    cases.connection,
    cases.ticket_number,
    cases.connection || ':' || coalesce(cases.company_id, contacts.company_id)
        as source_company_key,
    case when coalesce(cases.is_closed, false) then 'solved' else 'open' end as status,
    cases.vendor_status,
    cases.is_closed is null as is_status_assumed,
    case cases.vendor_severity
        when 'low' then 'low'
        when 'medium' then 'normal'
        when 'high' then 'high'
        when 'critical' then 'critical'
    end as severity,
    cases.created_at as opened_at,
    case when coalesce(cases.is_closed, false) then cases.closed_at end as solved_at,
    cases.change,
    cases.is_deleted,
    cases.observed_at,
    cases.sync_id,
    cases.position,
    cases.raw_version_id
from {{ ref('stg_salesforce__cases') }} as cases
left join contacts
    on cases.connection = contacts.connection and cases.contact_id = contacts.contact_id
