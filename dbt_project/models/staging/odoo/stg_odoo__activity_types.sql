-- Grain: one row per landed version of a type of activities.

{% set structure = {
    'name': 'VARCHAR',
    'category': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'activity_types') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as activity_type_key,
        landed.record_id as activity_type_id,
        landed.connection,
        {{ odoo_text('landed.record.name') }} as type_name,
        {{ odoo_text('landed.record.category') }} as category,
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
