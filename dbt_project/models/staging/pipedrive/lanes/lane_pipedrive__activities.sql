-- Grain: one row per landed version of a Pipedrive activity. Its type is a key that a company
-- may add to; calls, meetings and mails are known by theirs.

with activities as (
    select
        *,
        {{ try_cast_to(
            "concat(due_date_text, ' ', coalesce(due_time_text, '00:00:00'), '+00')",
            instant_type()
        ) }} as due_at,
        {{ try_cast_to("split_part(duration_text, ':', 1)", 'bigint') }} * 3600
        + {{ try_cast_to("split_part(duration_text, ':', 2)", 'bigint') }} * 60
            as duration_seconds,
        case
            when vendor_type = 'call' then 'call'
            when vendor_type in ('meeting', 'lunch') then 'meeting'
            when vendor_type = 'email' then 'email'
            else 'task'
        end as type
    from {{ ref('stg_pipedrive__activities') }}
)

select
    concat(connection, ':activity:', activity_id) as activity_key,
    activity_id,
    'pipedrive' as source_system,
    connection,
    type,
    case when type = 'task' then 'internal' when type = 'email' then 'out' end as direction,
    subject,
    case when done then 'done' else 'planned' end as outcome,
    owner_id,
    case when deal_id is not null then [concat(connection, ':', deal_id)] else [] end
        as source_deal_keys,
    case
        when organization_id is not null then [concat(connection, ':', organization_id)] else []
    end as source_company_keys,
    list_transform(
        list_distinct(
            list_filter(list_append(participant_ids, person_id), lambda one: one is not null)
        ),
        lambda one: concat(connection, ':', one)
    ) as source_contact_keys,
    len(list_distinct(
        list_filter(list_append(participant_ids, person_id), lambda one: one is not null)
    )) as participants_n,
    duration_seconds,
    done,
    done and type in ('call', 'meeting') as is_two_way,
    case
        -- A call or meeting took place when it was due, whenever somebody ticked it off.
        when done and type in ('call', 'meeting') and due_time_text is not null then due_at
        when done then coalesce(done_at, due_at)
    end as occurred_at,
    case
        -- Without a time of day it is due on that day, wherever the company is.
        when due_time_text is null then {{ start_of_day(
            try_cast_to('due_date_text', 'date')
        ) }}
        else due_at
    end as due_at,
    created_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from activities
