-- Grain: one row per landed version of a deal pipeline, its stages as a list.

{% set structure = {
    'display_value': 'VARCHAR',
    'actual_value': 'VARCHAR',
    'default': 'BOOLEAN',
    'layout': {'id': 'VARCHAR'},
    'maps': [{
        'id': 'VARCHAR',
        'display_value': 'VARCHAR',
        'actual_value': 'VARCHAR',
        'sequence_number': 'BIGINT',
        'forecast_type': 'VARCHAR',
        'forecast_category': {'name': 'VARCHAR'},
    }],
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'pipelines') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as pipeline_key,
        landed.record_id as pipeline_id,
        landed.connection,
        nullif(trim(landed.record.display_value), '') as display_value,
        nullif(trim(landed.record.actual_value), '') as actual_value,
        coalesce(landed.record['default'], false) as is_default,
        landed.record.layout.id as layout_id,
        landed.record.maps as stages,
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
