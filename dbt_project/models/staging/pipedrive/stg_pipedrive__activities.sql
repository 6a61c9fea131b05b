-- Grain: one row per landed version of an activity. Due date and time are UTC.

{% set structure = {
    'subject': 'VARCHAR',
    'type': 'VARCHAR',
    'done': 'BOOLEAN',
    'due_date': 'VARCHAR',
    'due_time': 'VARCHAR',
    'duration': 'VARCHAR',
    'owner_id': 'VARCHAR',
    'deal_id': 'VARCHAR',
    'lead_id': 'VARCHAR',
    'person_id': 'VARCHAR',
    'org_id': 'VARCHAR',
    'participants': [{
        'person_id': 'VARCHAR',
    }],
    'add_time': 'TIMESTAMPTZ',
    'update_time': 'TIMESTAMPTZ',
    'marked_as_done_time': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('pipedrive', 'activities') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as activity_key,
        landed.record_id as activity_id,
        landed.connection,
        nullif(trim(landed.record.subject), '') as subject,
        landed.record.type as vendor_type,
        coalesce(landed.record.done, false) as done,
        landed.record.due_date as due_date_text,
        nullif(landed.record.due_time, '') as due_time_text,
        nullif(landed.record.duration, '') as duration_text,
        landed.record.owner_id as owner_id,
        landed.record.deal_id as deal_id,
        landed.record.person_id as person_id,
        landed.record.org_id as organization_id,
        list_filter(list_transform(coalesce(landed.record.participants, []), lambda one: one.person_id), lambda one: one is not null) as participant_ids,
        landed.record.marked_as_done_time as done_at,
        landed.record.add_time as created_at,
        landed.record.update_time as updated_at,
        landed.payload is not null and landed.change <> 'merged' as has_content,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
