-- Grain: one row per landed version of a reason of losses.

{% set structure = {
    'name': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'lost_reasons') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as lost_reason_key,
        landed.record_id as lost_reason_id,
        landed.connection,
        {{ odoo_text('landed.record.name') }} as reason_name,
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
