-- Grain: one row per landed version of a change of one field of a deal. Times carry no zone: UTC.

{% set structure = {
    'deal_id': 'VARCHAR',
    'field_key': 'VARCHAR',
    'old_value': 'VARCHAR',
    'new_value': 'VARCHAR',
    'actor_user_id': 'VARCHAR',
    'time': 'VARCHAR',
    'change_source': 'VARCHAR',
    'is_bulk_update_flag': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('pipedrive', 'deal_changelog') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as change_key,
        concat(landed.connection, ':', landed.record.deal_id) as deal_key,
        landed.connection,
        landed.record.field_key as field_key,
        landed.record.old_value as old_value,
        landed.record.new_value as new_value,
        landed.record.actor_user_id as changed_by,
        landed.record.change_source as change_source,
        coalesce(landed.record.is_bulk_update_flag, false) as is_bulk_update,
        cast(concat(left(replace(landed.record.time, 'T', ' '), 19), '+00') as timestamptz) as happened_at,
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
