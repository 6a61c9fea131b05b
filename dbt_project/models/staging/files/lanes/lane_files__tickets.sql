-- Grain: one row per landed version of a service case of a file.

select
    ticket_key,
    ticket_id,
    'files' as source_system,
    connection,
    ticket_number,
    coalesce(company_key, concat(connection, ':') || company_id) as source_company_key,
    coalesce(deal_key, concat(connection, ':') || deal_id) as source_deal_key,
    case
        when vendor_status in ('solved', 'closed', 'resolved', 'done') then 'solved'
        when vendor_status is not null then 'open'
        when solved_at is not null then 'solved'
        else 'open'
    end as status,
    vendor_status,
    coalesce(
        vendor_status not in ('open', 'solved', 'closed', 'resolved', 'done'), false
    ) as is_status_assumed,
    case
        when vendor_severity in ('low', 'normal', 'high', 'critical') then vendor_severity
        when vendor_severity in ('medium', 'minor') then 'normal'
        when vendor_severity = 'major' then 'high'
        when vendor_severity in ('urgent', 'blocker') then 'critical'
    end as severity,
    n_reopened,
    opened_at,
    first_response_at,
    solved_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_files__tickets') }}
