-- Grain: one row per landed version of a task.

{% set structure = {
    'subject': 'VARCHAR',
    'activitytype': 'VARCHAR',
    'assigned_user_id': 'VARCHAR',
    'parent_id': 'VARCHAR',
    'contact_id': 'VARCHAR',
    'date_start': 'VARCHAR',
    'time_start': 'VARCHAR',
    'due_date': 'VARCHAR',
    'time_end': 'VARCHAR',
    'taskstatus': 'VARCHAR',
    'createdtime': 'TIMESTAMPTZ',
    'modifiedtime': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'tasks') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as task_key,
        landed.record_id as task_id,
        landed.connection,
        nullif(trim(landed.record.subject), '') as subject,
        nullif(trim(landed.record.activitytype), '') as vendor_type,
        nullif(trim(landed.record.assigned_user_id), '') as owner_id,
        nullif(trim(landed.record.parent_id), '') as parent_id,
        nullif(trim(landed.record.contact_id), '') as contact_id,
        nullif(trim(landed.record.date_start), '') as start_date,
        nullif(trim(landed.record.time_start), '') as start_time,
        nullif(trim(landed.record.due_date), '') as end_date,
        nullif(trim(landed.record.time_end), '') as end_time,
        nullif(trim(landed.record.taskstatus), '') as vendor_status,
        {{ try_cast_to("concat_ws(' ', nullif(trim(landed.record.due_date), ''), nullif(trim(landed.record.time_end), ''))", instant_type()) }}
        + {{ vtiger_offset() }} as due_at,
        -- The text bears no zone; the connector knows it, and has read modifiedtime by it.
        landed.record.createdtime + {{ vtiger_offset() }} as created_at,
        coalesce(landed.source_updated_at, landed.record.modifiedtime) as updated_at,
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
