-- Grain: one row per landed version of the picklist of deal stages, its values as a list.

{% set structure = {'pick_list_values': [{
    'id': 'VARCHAR',
    'display_value': 'VARCHAR',
    'actual_value': 'VARCHAR',
    'probability': 'DECIMAL(24,6)',
}]} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'fields') }}
    where record_id = 'Deals:Stage'
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as field_key,
        landed.record_id as field_id,
        landed.connection,
        landed.record.pick_list_values as picklist_values,
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
