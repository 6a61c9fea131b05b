-- Grain: one row per landed version of a call.

{% set structure = {
    'Subject': 'VARCHAR',
    'Call_Type': 'VARCHAR',
    'Outgoing_Call_Status': 'VARCHAR',
    'Call_Duration': 'VARCHAR',
    'Call_Duration_in_seconds': 'BIGINT',
    'Call_Start_Time': 'TIMESTAMPTZ',
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
    from {{ source('zoho', 'calls') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as call_key,
        landed.record_id as call_id,
        landed.connection,
        nullif(trim(landed.record.Subject), '') as subject,
        nullif(trim(landed.record.Call_Type), '') as call_type,
        nullif(trim(landed.record.Outgoing_Call_Status), '') as vendor_status,
        landed.record.Owner.id as owner_id,
        landed.record.What_Id.id as about_id,
        landed.record.Who_Id.id as person_id,
        coalesce(
            landed.record.Call_Duration_in_seconds,
            {{ try_cast_to("split_part(landed.record.Call_Duration, ':', 1)", 'bigint') }} * 60
            + {{ try_cast_to("split_part(landed.record.Call_Duration, ':', 2)", 'bigint') }}
        )
            as duration_seconds,
        landed.record.Call_Start_Time as starts_at,
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
