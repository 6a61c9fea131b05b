-- Grain: one row per landed version of a Vtiger activity.
--
-- What an activity is about is one id whose number before the x names the module, another
-- number in every installation.

with prefixes as (
    select
        connection,
        module_name,
        arg_max(id_prefix, (observed_at, sync_id, position)) as id_prefix
    from {{ ref('stg_vtiger__modules') }}
    where change = 'upsert'
    group by connection, module_name
),

modules as (
    select
        connection,
        max(id_prefix) filter (where module_name = 'Potentials') as deal_prefix,
        max(id_prefix) filter (where module_name = 'Accounts') as company_prefix,
        max(id_prefix) filter (where module_name = 'Contacts') as contact_prefix
    from prefixes
    group by connection
),

shown as (
    select
        concat(connection, ':event:', event_id) as activity_key,
        event_id as activity_id,
        connection,
        case when lower(vendor_type) like '%call%' then 'call' else 'meeting' end as type,
        cast(null as varchar) as direction,
        subject,
        vendor_status as outcome,
        owner_id,
        parent_id,
        contact_id,
        {{ seconds_between('starts_at', 'ends_at') }} as duration_seconds,
        coalesce(vendor_status = 'Held', false) as done,
        coalesce(vendor_status = 'Held', false) as is_two_way,
        starts_at as occurred_at,
        case when coalesce(vendor_status, '') <> 'Not Held' then starts_at end as due_at,
        created_at,
        change,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_vtiger__events') }}

    union all

    select
        concat(connection, ':task:', task_id),
        task_id,
        connection,
        'task',
        'internal',
        subject,
        vendor_status,
        owner_id,
        parent_id,
        contact_id,
        null,
        coalesce(vendor_status = 'Completed', false),
        false,
        -- No field says when it was done; its last edit is the one that did it.
        case when vendor_status = 'Completed' then updated_at end,
        case when coalesce(vendor_status, '') <> 'Deferred' then due_at end,
        created_at,
        change,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_vtiger__tasks') }}

    union all

    select
        concat(connection, ':email:', email_id),
        email_id,
        connection,
        'email',
        case when vendor_status = 'MAILSCANNER' then 'in' else 'out' end,
        subject,
        vendor_status,
        owner_id,
        parent_id,
        cast(null as varchar),
        null,
        coalesce(vendor_status <> 'SAVED', true),
        coalesce(vendor_status = 'MAILSCANNER', false),
        sent_at,
        cast(null as {{ instant_type() }}),
        created_at,
        change,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_vtiger__emails') }}
),

linked as (
    select
        shown.*,
        shown.connection || ':' || shown.parent_id as parent_key,
        split_part(shown.parent_id, 'x', 1) as parent_prefix,
        modules.deal_prefix,
        modules.company_prefix,
        modules.contact_prefix
    from shown
    left join modules on shown.connection = modules.connection
)

select
    activity_key,
    activity_id,
    'vtiger' as source_system,
    connection,
    type,
    direction,
    subject,
    outcome,
    owner_id,
    case when parent_prefix = deal_prefix then [parent_key] else [] end as source_deal_keys,
    case when parent_prefix = company_prefix then [parent_key] else [] end
        as source_company_keys,
    case
        when contact_id is not null then [concat(connection, ':', contact_id)]
        when parent_prefix = contact_prefix then [parent_key]
        else []
    end as source_contact_keys,
    case when contact_id is not null or parent_prefix = contact_prefix then 1 else 0 end
        as participants_n,
    duration_seconds,
    done,
    is_two_way,
    occurred_at,
    due_at,
    created_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from linked
