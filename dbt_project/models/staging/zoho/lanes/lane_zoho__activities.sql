-- Grain: one row per landed version of a Zoho activity.
--
-- What an activity is about is an id that is unique in the organisation: the module that holds
-- it tells what it is.

with deals as (
    select distinct connection, deal_id from {{ ref('stg_zoho__deals') }}
),

companies as (
    select distinct connection, company_id from {{ ref('stg_zoho__accounts') }}
),

contacts as (
    select distinct connection, contact_id from {{ ref('stg_zoho__contacts') }}
),

shown as (
    select
        concat(connection, ':call:', call_id) as activity_key,
        call_id as activity_id,
        connection,
        'call' as type,
        case call_type when 'Outbound' then 'out' when 'Inbound' then 'in' when 'Missed' then 'in' end
            as direction,
        subject,
        coalesce(vendor_status, call_type) as outcome,
        owner_id,
        about_id,
        person_id,
        duration_seconds,
        -- A call without a status was logged after the fact.
        coalesce(
            coalesce(vendor_status, 'Completed') = 'Completed' and starts_at <= {{ as_of_at() }},
            false
        ) as done,
        coalesce(
            coalesce(vendor_status, 'Completed') = 'Completed'
            and call_type <> 'Missed'
            and starts_at <= {{ as_of_at() }},
            false
        ) as is_two_way,
        starts_at as occurred_at,
        case when coalesce(vendor_status, '') <> 'Cancelled' then starts_at end as due_at,
        created_at,
        change,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_zoho__calls') }}

    union all

    select
        concat(connection, ':event:', event_id),
        event_id,
        connection,
        'meeting',
        null,
        subject,
        null,
        owner_id,
        about_id,
        person_id,
        {{ seconds_between('starts_at', 'ends_at') }},
        -- A meeting has no status: it took place when it was over.
        coalesce(coalesce(ends_at, starts_at) <= {{ as_of_at() }}, false),
        coalesce(coalesce(ends_at, starts_at) <= {{ as_of_at() }}, false),
        starts_at,
        starts_at,
        created_at,
        change,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_zoho__events') }}

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
        about_id,
        person_id,
        null,
        coalesce(vendor_status = 'Completed', false),
        false,
        case when vendor_status = 'Completed' then coalesce(closed_at, updated_at) end,
        case
            when coalesce(vendor_status, '') <> 'Deferred' then {{ start_of_day('due_date') }}
        end,
        created_at,
        change,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_zoho__tasks') }}

    union all

    select
        concat(connection, ':email:', email_id),
        email_id,
        connection,
        'email',
        case when is_sent then 'out' else 'in' end,
        subject,
        null,
        owner_id,
        deal_id,
        null,
        null,
        true,
        not is_sent,
        sent_at,
        cast(null as {{ instant_type() }}),
        sent_at,
        change,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_zoho__emails') }}
)

select
    shown.activity_key,
    shown.activity_id,
    'zoho' as source_system,
    shown.connection,
    shown.type,
    shown.direction,
    shown.subject,
    shown.outcome,
    shown.owner_id,
    case when deals.deal_id is null then [] else [concat(shown.connection, ':', deals.deal_id)] end
        as source_deal_keys,
    case
        when companies.company_id is null then []
        else [concat(shown.connection, ':', companies.company_id)]
    end as source_company_keys,
    case
        when contacts.contact_id is null then []
        else [concat(shown.connection, ':', contacts.contact_id)]
    end as source_contact_keys,
    case when contacts.contact_id is null then 0 else 1 end as participants_n,
    shown.duration_seconds,
    shown.done,
    shown.is_two_way,
    shown.occurred_at,
    shown.due_at,
    shown.created_at,
    shown.change,
    shown.is_deleted,
    shown.observed_at,
    shown.sync_id,
    shown.position,
    shown.raw_version_id
from shown
left join deals on shown.connection = deals.connection and shown.about_id = deals.deal_id
left join companies
    on shown.connection = companies.connection and shown.about_id = companies.company_id
left join contacts
    on shown.connection = contacts.connection and shown.person_id = contacts.contact_id
