-- Grain: one row per landed version of a meeting.

{% set structure = {
    'Subject': 'VARCHAR',
    'StartDateTime': 'VARCHAR',
    'EndDateTime': 'VARCHAR',
    'WhoId': 'VARCHAR',
    'WhatId': 'VARCHAR',
    'OwnerId': 'VARCHAR',
    'CreatedDate': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'events') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as event_key,
        landed.record_id as event_id,
        landed.connection,
        nullif(trim(landed.record.Subject), '') as subject,
        landed.record.WhoId as person_id,
        landed.record.WhatId as about_id,
        landed.record.OwnerId as owner_id,
        {{ salesforce_instant('landed.record.StartDateTime') }} as starts_at,
        {{ salesforce_instant('landed.record.EndDateTime') }} as ends_at,
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
