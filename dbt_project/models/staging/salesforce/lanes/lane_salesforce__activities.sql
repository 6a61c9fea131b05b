-- Grain: one row per landed version of a Salesforce task or meeting. What it is about and
-- with whom are ids whose first three characters name the object.

with shown as (
    select
        concat(connection, ':task:', task_id) as activity_key,
        task_id as activity_id,
        connection,
        case
            when lower(task_subtype) = 'call' or lower(task_type) = 'call' then 'call'
            when lower(task_subtype) in ('email', 'listemail') or lower(task_type) = 'email'
                then 'email'
            else 'task'
        end as type,
        subject,
        vendor_status as outcome,
        owner_id,
        about_id,
        person_id,
        duration_seconds,
        is_closed as done,
        case
            when is_closed
                then coalesce(completed_at, {{ start_of_day('due_date') }}, created_at)
        end as occurred_at,
        {{ start_of_day('due_date') }} as due_at,
        created_at,
        change,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_salesforce__tasks') }}

    union all

    select
        concat(connection, ':event:', event_id),
        event_id,
        connection,
        'meeting',
        subject,
        null,
        owner_id,
        about_id,
        person_id,
        {{ seconds_between('starts_at', 'ends_at') }},
        coalesce(ends_at, starts_at) <= {{ as_of_at() }},
        starts_at,
        starts_at,
        created_at,
        change,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_salesforce__events') }}
)

select
    activity_key,
    activity_id,
    'salesforce' as source_system,
    connection,
    type,
    case type when 'task' then 'internal' when 'email' then 'out' end as direction,
    subject,
    outcome,
    owner_id,
    case when left(about_id, 3) = '006' then [concat(connection, ':', about_id)] else [] end
        as source_deal_keys,
    case when left(about_id, 3) = '001' then [concat(connection, ':', about_id)] else [] end
        as source_company_keys,
    case when left(person_id, 3) = '003' then [concat(connection, ':', person_id)] else [] end
        as source_contact_keys,
    case when person_id is not null then 1 else 0 end as participants_n,
    duration_seconds,
    coalesce(done, false) as done,
    coalesce(done and type in ('call', 'meeting'), false) as is_two_way,
    occurred_at,
    due_at,
    created_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from shown
