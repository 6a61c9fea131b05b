-- Grain: one row per landed version of a case of Zoho. Nobody states when it was closed: it is the edit
-- that closed it this time. A word for its state that is not Zoho's own leaves it open. One that names
-- a person alone is of the person's company.

with contacts as (
    select
        connection,
        contact_id,
        arg_max(company_id, (observed_at, sync_id, position)) as company_id
    from {{ ref('stg_zoho__contacts') }}
    where change = 'upsert'
    group by connection, contact_id
),

versions as (
    select
        *,
        coalesce(vendor_status = 'closed', false) as is_closed,
        max(case when vendor_status is distinct from 'closed' then observed_at end) over (
            partition by ticket_key
        ) as last_open_at
    from {{ ref('stg_zoho__cases') }}
    where change = 'upsert'
)

select
    versions.ticket_key,
    versions.ticket_id,
    'zoho' as source_system,
    versions.connection,
    versions.ticket_number,
    versions.connection || ':' || coalesce(versions.company_id, contacts.company_id)
        as source_company_key,
    versions.connection || ':' || versions.deal_id as source_deal_key,
    case when versions.is_closed then 'solved' else 'open' end as status,
    versions.vendor_status,
    coalesce(
        versions.vendor_status not in ('new', 'on hold', 'escalated', 'closed'), true
    ) as is_status_assumed,
    case versions.vendor_severity
        when 'low' then 'low'
        when 'medium' then 'normal'
        when 'high' then 'high'
    end as severity,
    versions.created_at as opened_at,
    min(
        case
            when
                versions.is_closed
                and (
                    versions.last_open_at is null or versions.observed_at > versions.last_open_at
                )
                then versions.updated_at
        end
    ) over (partition by versions.ticket_key) as solved_at,
    versions.change,
    versions.is_deleted,
    versions.observed_at,
    versions.sync_id,
    versions.position,
    versions.raw_version_id
from versions
left join contacts
    on versions.connection = contacts.connection and versions.contact_id = contacts.contact_id
{{ union_all_by_name() }}
select
    ticket_key,
    connection,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_zoho__cases') }}
where change <> 'upsert'
