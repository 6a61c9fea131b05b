-- Grain: one row per landed version of an activity, all sources and kinds.

with typed_nothing as (
    select
        cast(null as varchar) as activity_key,
        cast(null as varchar) as activity_id,
        cast(null as varchar) as source_system,
        cast(null as varchar) as connection,
        cast(null as varchar) as type,
        cast(null as varchar) as direction,
        cast(null as varchar) as subject,
        cast(null as varchar) as outcome,
        cast(null as varchar) as owner_id,
        cast(null as varchar) as message_id,
        cast(null as varchar[]) as source_deal_keys,
        cast(null as varchar[]) as source_company_keys,
        cast(null as varchar[]) as source_contact_keys,
        cast(null as bigint) as participants_n,
        cast(null as bigint) as duration_seconds,
        cast(null as boolean) as done,
        cast(null as boolean) as is_two_way,
        cast(null as {{ instant_type() }}) as occurred_at,
        cast(null as {{ instant_type() }}) as due_at,
        cast(null as {{ instant_type() }}) as created_at,
        cast(null as varchar) as change,
        cast(null as boolean) as is_deleted,
        cast(null as {{ instant_type() }}) as observed_at,
        cast(null as varchar) as sync_id,
        cast(null as bigint) as position,
        cast(null as varchar) as raw_version_id
    where false
)

{% set shared = "list_sort(deal_keys), list_sort(company_keys), list_sort(contact_keys)" %}
{% set landed = "change, is_deleted, observed_at, sync_id, position, raw_version_id" %}

select * from typed_nothing

{% if has_source('hubspot') %}
union all
select
    concat(connection, ':call:', call_id), call_id, 'hubspot', connection, 'call',
    case direction when 'INBOUND' then 'in' when 'OUTBOUND' then 'out' end,
    subject, vendor_status, owner_id, null, {{ shared }}, len(contact_keys),
    duration_ms // 1000,
    -- A call without a status was logged after the fact.
    coalesce(vendor_status = 'COMPLETED', occurred_at <= {{ as_of_at() }}, false),
    -- A call that lasted was answered.
    coalesce(vendor_status = 'COMPLETED', true) and coalesce(duration_ms, 0) > 0,
    occurred_at, case when vendor_status in ('SCHEDULED', 'QUEUED') then occurred_at end,
    coalesce(created_at, record_created_at), {{ landed }}
from {{ ref('stg_hubspot__calls') }}

union all
select
    concat(connection, ':meeting:', meeting_id), meeting_id, 'hubspot', connection, 'meeting',
    null, subject, outcome, owner_id, null, {{ shared }}, len(contact_keys),
    {{ seconds_between('starts_at', 'ends_at') }},
    coalesce(
        outcome = 'COMPLETED',
        coalesce(starts_at, occurred_at) <= {{ as_of_at() }},
        false
    ),
    coalesce(
        outcome = 'COMPLETED',
        coalesce(starts_at, occurred_at) <= {{ as_of_at() }},
        false
    ),
    coalesce(starts_at, occurred_at), coalesce(starts_at, occurred_at),
    coalesce(created_at, record_created_at), {{ landed }}
from {{ ref('stg_hubspot__meetings') }}

union all
select
    concat(connection, ':note:', note_id), note_id, 'hubspot', connection, 'note',
    'internal', null, null, owner_id, null, {{ shared }}, len(contact_keys), null, true, false,
    occurred_at, null, coalesce(created_at, record_created_at), {{ landed }}
from {{ ref('stg_hubspot__notes') }}

union all
-- hs_timestamp of a task is its due date.
select
    concat(connection, ':task:', task_id), task_id, 'hubspot', connection, 'task',
    'internal', subject, vendor_status, owner_id, null, {{ shared }}, len(contact_keys), null,
    coalesce(vendor_status = 'COMPLETED', false), false,
    case when vendor_status = 'COMPLETED' then coalesce(completed_at, occurred_at) end,
    occurred_at, coalesce(created_at, record_created_at), {{ landed }}
from {{ ref('stg_hubspot__tasks') }}

union all
select
    concat(connection, ':email:', email_id), email_id, 'hubspot', connection, 'email',
    case when direction like 'INCOMING%' then 'in' when direction is not null then 'out' end,
    subject, vendor_status, owner_id, message_id, {{ shared }}, len(contact_keys), null,
    coalesce(vendor_status not in ('FAILED', 'BOUNCED', 'SCHEDULED', 'DRAFT'), true),
    coalesce(direction like 'INCOMING%', false),
    occurred_at, null, coalesce(created_at, record_created_at), {{ landed }}
from {{ ref('stg_hubspot__emails') }}
{% endif %}

{% if has_source('files') %}
union all
select
    concat(
        connection, ':',
        case when activity_type in ('call', 'meeting', 'task', 'note', 'email')
            then activity_type else 'other' end,
        ':', split_part(raw_version_id, ':', 3)
    ),
    coalesce(activity_id, split_part(raw_version_id, ':', 3)), 'files', connection,
    case when activity_type in ('call', 'meeting', 'task', 'note', 'email')
        then activity_type else 'other' end,
    case when direction in ('in', 'out', 'internal') then direction
        when direction in ('inbound', 'incoming') then 'in'
        when direction in ('outbound', 'outgoing') then 'out' end,
    subject, null, coalesce(owner_id, owner_email), null,
    case when deal_id is not null then [concat(connection, ':', deal_id)] else [] end,
    case when company_id is not null then [concat(connection, ':', company_id)] else [] end,
    case when contact_id is not null then [concat(connection, ':', contact_id)] else [] end,
    coalesce(participants, case when contact_id is not null then 1 else 0 end), null,
    coalesce(is_done, occurred_at <= {{ as_of_at() }}, false),
    coalesce(is_done, occurred_at <= {{ as_of_at() }}, false)
    and (activity_type = 'meeting' or coalesce(direction in ('in', 'inbound', 'incoming'), false)),
    occurred_at, due_at, created_at, {{ landed }}
from {{ ref('stg_files__activities') }}
{% endif %}
