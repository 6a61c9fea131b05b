-- Grain: one row per landed version of a case of Zoho. Nobody states when it was closed: it is the edit that
-- closed it this time.

with versions as (
    select
        *,
        coalesce(vendor_status = 'closed', false) as is_closed,
        max(case when coalesce(vendor_status, '') <> 'closed' then observed_at end) over (
            partition by ticket_key
        ) as last_open_at
    from {{ ref('stg_zoho__cases') }}
    where change = 'upsert'
)

select
    ticket_key,
    ticket_id,
    'zoho' as source_system,
    connection,
    ticket_number,
    connection || ':' || company_id as source_company_key,
    connection || ':' || deal_id as source_deal_key,
    case when is_closed then 'solved' else 'open' end as status,
    vendor_status,
    case vendor_severity
        when 'low' then 'low'
        when 'medium' then 'normal'
        when 'high' then 'high'
    end as severity,
    created_at as opened_at,
    min(
        case
            when is_closed and (last_open_at is null or observed_at > last_open_at)
                then updated_at
        end
    ) over (partition by ticket_key) as solved_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from versions
union all by name
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
