-- Grain: one row per landed version of a deal pipeline, its stages as a list.

{% set structure = {
    'id': 'VARCHAR',
    'label': 'VARCHAR',
    'displayOrder': 'BIGINT',
    'archived': 'BOOLEAN',
    'createdAt': 'TIMESTAMPTZ',
    'updatedAt': 'TIMESTAMPTZ',
    'stages': [{
        'id': 'VARCHAR',
        'label': 'VARCHAR',
        'displayOrder': 'BIGINT',
        'archived': 'BOOLEAN',
        'createdAt': 'TIMESTAMPTZ',
        'updatedAt': 'TIMESTAMPTZ',
        'metadata': {'probability': 'DECIMAL(24,6)', 'isClosed': 'VARCHAR'},
    }],
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('hubspot', 'deal_pipelines') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as pipeline_key,
        landed.record_id as pipeline_id,
        landed.connection,
        nullif(trim(landed.record.label), '') as pipeline_name,
        landed.record.displayOrder as pipeline_order,
        landed.record.stages as stages,
        landed.record.createdAt as created_at,
        landed.record.updatedAt as updated_at,
        landed.change,
        landed.change in ('deleted', 'archived')
        or coalesce(landed.record.archived, false) as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
