-- Grain: one row per landed version of a change of a field that the org tracks.

{% set structure = {
    'OpportunityId': 'VARCHAR',
    'Field': 'VARCHAR',
    'OldValue': 'VARCHAR',
    'NewValue': 'VARCHAR',
    'CreatedById': 'VARCHAR',
    'CreatedDate': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'deal_field_history') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as change_key,
        landed.record_id as change_id,
        concat(landed.connection, ':', landed.record.OpportunityId) as deal_key,
        landed.connection,
        landed.record.Field as field_name,
        landed.record.OldValue as old_value,
        landed.record.NewValue as new_value,
        landed.record.CreatedById as changed_by,
        {{ salesforce_instant('landed.record.CreatedDate') }} as happened_at,
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
