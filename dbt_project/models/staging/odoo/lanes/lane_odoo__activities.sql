-- Grain: one row per landed version of an Odoo activity: to be done, done (the message that
-- tells so, for Odoo deletes the activity), or a meeting of the calendar.

with types as (
    select
        connection,
        activity_type_id,
        case
            when arg_max(category, (observed_at, sync_id, position)) = 'phonecall'
                or lower(arg_max(type_name, (observed_at, sync_id, position))) like '%call%'
                then 'call'
            when arg_max(category, (observed_at, sync_id, position)) = 'meeting'
                or lower(arg_max(type_name, (observed_at, sync_id, position))) like '%meeting%'
                then 'meeting'
            when lower(arg_max(type_name, (observed_at, sync_id, position))) like '%mail%'
                then 'email'
            else 'task'
        end as type
    from {{ ref('stg_odoo__activity_types') }}
    where has_content
    group by connection, activity_type_id
),

authors as (
    select
        connection,
        partner_id,
        arg_max(user_id, (observed_at, sync_id, position)) as user_id
    from {{ ref('stg_odoo__users') }}
    where has_content and partner_id is not null
    group by connection, partner_id
),

shown as (
    select
        concat(activities.connection, ':activity:', activities.activity_id) as activity_key,
        activities.activity_id,
        activities.connection,
        coalesce(types.type, 'task') as type,
        activities.subject,
        activities.owner_id,
        activities.model_name,
        activities.res_id,
        cast(null as bigint) as duration_seconds,
        not activities.is_active as done,
        case
            when not activities.is_active
                then coalesce(
                    {{ start_of_day('activities.done_date') }}, activities.updated_at
                )
        end as occurred_at,
        {{ start_of_day('activities.due_date') }} as due_at,
        activities.created_at,
        activities.change,
        activities.is_deleted,
        activities.observed_at,
        activities.sync_id,
        activities.position,
        activities.raw_version_id
    from {{ ref('stg_odoo__activities') }} as activities
    left join types
        on
            activities.connection = types.connection
            and activities.activity_type_id = types.activity_type_id

    union all

    select
        concat(messages.connection, ':message:', messages.message_id),
        messages.message_id,
        messages.connection,
        coalesce(types.type, 'task'),
        messages.subject,
        authors.user_id,
        messages.model_name,
        messages.res_id,
        null,
        true,
        messages.happened_at,
        cast(null as {{ instant_type() }}),
        messages.happened_at,
        messages.change,
        messages.is_deleted,
        messages.observed_at,
        messages.sync_id,
        messages.position,
        messages.raw_version_id
    from {{ ref('stg_odoo__messages') }} as messages
    left join types
        on
            messages.connection = types.connection
            and messages.activity_type_id = types.activity_type_id
    left join authors
        on
            messages.connection = authors.connection
            and messages.author_id = authors.partner_id
    where messages.activity_type_id is not null

    union all

    select
        concat(connection, ':event:', event_id),
        event_id,
        connection,
        'meeting',
        subject,
        owner_id,
        'crm.lead',
        lead_id,
        {{ seconds_between('starts_at', 'ends_at') }},
        coalesce(ends_at, starts_at) <= {{ as_of_at() }},
        starts_at,
        starts_at,
        created_at,
        change,
        is_deleted or not is_active,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_odoo__events') }}
)

select
    activity_key,
    activity_id,
    'odoo' as source_system,
    connection,
    type,
    case type when 'task' then 'internal' when 'email' then 'out' end as direction,
    subject,
    case when done then 'done' else 'planned' end as outcome,
    owner_id,
    case
        when model_name = 'crm.lead' and res_id is not null then [concat(connection, ':', res_id)]
        else []
    end as source_deal_keys,
    cast([] as varchar[]) as source_company_keys,
    case
        when model_name = 'res.partner' and res_id is not null
            then [concat(connection, ':', res_id)]
        else []
    end as source_contact_keys,
    case when model_name = 'res.partner' then 1 else 0 end as participants_n,
    duration_seconds,
    done,
    done and type in ('call', 'meeting') as is_two_way,
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
