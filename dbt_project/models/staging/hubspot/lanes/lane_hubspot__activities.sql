-- Grain: one row per landed version of a HubSpot activity.

select
    concat(connection, ':call:', call_id) as activity_key,
    call_id as activity_id,
    'hubspot' as source_system,
    connection,
    'call' as type,
    case direction when 'INBOUND' then 'in' when 'OUTBOUND' then 'out' end as direction,
    subject,
    vendor_status as outcome,
    owner_id,
    list_sort(deal_keys) as source_deal_keys,
    list_sort(company_keys) as source_company_keys,
    list_sort(contact_keys) as source_contact_keys,
    len(contact_keys) as participants_n,
    duration_ms // 1000 as duration_seconds,
    -- A call without a status was logged after the fact.
    coalesce(vendor_status = 'COMPLETED', occurred_at <= {{ as_of_at() }}, false) as done,
    -- A call that lasted was answered.
    coalesce(vendor_status = 'COMPLETED', true) and coalesce(duration_ms, 0) > 0 as is_two_way,
    occurred_at,
    case when vendor_status in ('SCHEDULED', 'QUEUED') then occurred_at end as due_at,
    coalesce(created_at, record_created_at) as created_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_hubspot__calls') }}

{{ union_all_by_name() }}

select
    concat(connection, ':meeting:', meeting_id) as activity_key,
    meeting_id as activity_id,
    'hubspot' as source_system,
    connection,
    'meeting' as type,
    subject,
    outcome,
    owner_id,
    list_sort(deal_keys) as source_deal_keys,
    list_sort(company_keys) as source_company_keys,
    list_sort(contact_keys) as source_contact_keys,
    len(contact_keys) as participants_n,
    {{ seconds_between('starts_at', 'ends_at') }} as duration_seconds,
    coalesce(
        outcome = 'COMPLETED',
        coalesce(starts_at, occurred_at) <= {{ as_of_at() }},
        false
    )
        as done,
    coalesce(
        outcome = 'COMPLETED',
        coalesce(starts_at, occurred_at) <= {{ as_of_at() }},
        false
    )
        as is_two_way,
    coalesce(starts_at, occurred_at) as occurred_at,
    coalesce(starts_at, occurred_at) as due_at,
    coalesce(created_at, record_created_at) as created_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_hubspot__meetings') }}

{{ union_all_by_name() }}

select
    concat(connection, ':note:', note_id) as activity_key,
    note_id as activity_id,
    'hubspot' as source_system,
    connection,
    'note' as type,
    'internal' as direction,
    owner_id,
    list_sort(deal_keys) as source_deal_keys,
    list_sort(company_keys) as source_company_keys,
    list_sort(contact_keys) as source_contact_keys,
    len(contact_keys) as participants_n,
    true as done,
    false as is_two_way,
    occurred_at,
    coalesce(created_at, record_created_at) as created_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_hubspot__notes') }}

{{ union_all_by_name() }}

-- hs_timestamp of a task is its due date.
select
    concat(connection, ':task:', task_id) as activity_key,
    task_id as activity_id,
    'hubspot' as source_system,
    connection,
    'task' as type,
    'internal' as direction,
    subject,
    vendor_status as outcome,
    owner_id,
    list_sort(deal_keys) as source_deal_keys,
    list_sort(company_keys) as source_company_keys,
    list_sort(contact_keys) as source_contact_keys,
    len(contact_keys) as participants_n,
    coalesce(vendor_status = 'COMPLETED', false) as done,
    false as is_two_way,
    case when vendor_status = 'COMPLETED' then coalesce(completed_at, occurred_at) end as occurred_at,
    occurred_at as due_at,
    coalesce(created_at, record_created_at) as created_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_hubspot__tasks') }}

{{ union_all_by_name() }}

select
    concat(connection, ':email:', email_id) as activity_key,
    email_id as activity_id,
    'hubspot' as source_system,
    connection,
    'email' as type,
    case when direction like 'INCOMING%' then 'in' when direction is not null then 'out' end as direction,
    subject,
    vendor_status as outcome,
    owner_id,
    message_id,
    list_sort(deal_keys) as source_deal_keys,
    list_sort(company_keys) as source_company_keys,
    list_sort(contact_keys) as source_contact_keys,
    len(contact_keys) as participants_n,
    coalesce(vendor_status not in ('FAILED', 'BOUNCED', 'SCHEDULED', 'DRAFT'), true) as done,
    coalesce(direction like 'INCOMING%', false) as is_two_way,
    occurred_at,
    coalesce(created_at, record_created_at) as created_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_hubspot__emails') }}
