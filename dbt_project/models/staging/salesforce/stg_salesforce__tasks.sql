-- Grain: one row per landed version of a task, call or logged mail.

{% set structure = {
    'Subject': 'VARCHAR',
    'Status': 'VARCHAR',
    'IsClosed': 'BOOLEAN',
    'TaskSubtype': 'VARCHAR',
    'Type': 'VARCHAR',
    'ActivityDate': 'DATE',
    'CompletedDateTime': 'VARCHAR',
    'CallDurationInSeconds': 'BIGINT',
    'WhoId': 'VARCHAR',
    'WhatId': 'VARCHAR',
    'OwnerId': 'VARCHAR',
    'CreatedDate': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'tasks') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as task_key,
        landed.record_id as task_id,
        landed.connection,
        nullif(trim(landed.record.Subject), '') as subject,
        landed.record.Status as vendor_status,
        landed.record.TaskSubtype as task_subtype,
        landed.record.Type as task_type,
        landed.record.WhoId as person_id,
        landed.record.WhatId as about_id,
        landed.record.OwnerId as owner_id,
        landed.record.CallDurationInSeconds as duration_seconds,
        coalesce(landed.record.IsClosed, false) as is_closed,
        landed.record.ActivityDate as due_date,
        {{ salesforce_instant('landed.record.CompletedDateTime') }} as completed_at,
        {{ salesforce_instant('landed.record.CreatedDate') }} as created_at,
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
