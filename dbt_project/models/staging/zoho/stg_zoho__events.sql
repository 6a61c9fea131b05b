-- Grain: one row per landed version of a meeting.

{% set structure = {
    'Event_Title': 'VARCHAR',
    'Start_DateTime': 'TIMESTAMPTZ',
    'End_DateTime': 'TIMESTAMPTZ',
    'What_Id': {'id': 'VARCHAR'},
    'Who_Id': {'id': 'VARCHAR'},
    'Owner': {'id': 'VARCHAR'},
    'Created_Time': 'TIMESTAMPTZ',
    'Modified_Time': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'events') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as event_key,
        landed.record_id as event_id,
        landed.connection,
        nullif(trim(landed.record.Event_Title), '') as subject,
        landed.record.Owner.id as owner_id,
        landed.record.What_Id.id as about_id,
        landed.record.Who_Id.id as person_id,
        landed.record.Start_DateTime as starts_at,
        landed.record.End_DateTime as ends_at,
        landed.record.Created_Time as created_at,
        landed.record.Modified_Time as updated_at,
        landed.payload is not null as has_content,
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
