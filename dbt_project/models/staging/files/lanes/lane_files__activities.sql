-- Grain: one row per landed version of a activity of a file.

select
    concat(
        connection, ':',
        case when activity_type in ('call', 'meeting', 'task', 'note', 'email')
            then activity_type else 'other' end,
        ':', split_part(raw_version_id, ':', 3)
    )
        as activity_key,
    coalesce(activity_id, split_part(raw_version_id, ':', 3)) as activity_id,
    'files' as source_system,
    connection,
    case when activity_type in ('call', 'meeting', 'task', 'note', 'email')
        then activity_type else 'other' end
        as type,
    case when direction in ('in', 'out', 'internal') then direction
        when direction in ('inbound', 'incoming') then 'in'
        when direction in ('outbound', 'outgoing') then 'out' end
        as direction,
    subject,
    coalesce(owner_id, owner_email) as owner_id,
    case when deal_id is not null then [concat(connection, ':', deal_id)] else [] end as source_deal_keys,
    case when company_id is not null then [concat(connection, ':', company_id)] else [] end as source_company_keys,
    case when contact_id is not null then [concat(connection, ':', contact_id)] else [] end as source_contact_keys,
    coalesce(participants, case when contact_id is not null then 1 else 0 end) as participants_n,
    coalesce(is_done, occurred_at <= {{ as_of_at() }}, false) as done,
    coalesce(is_done, occurred_at <= {{ as_of_at() }}, false)
    and (activity_type = 'meeting' or coalesce(direction in ('in', 'inbound', 'incoming'), false))
        as is_two_way,
    occurred_at,
    due_at,
    created_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_files__activities') }}
