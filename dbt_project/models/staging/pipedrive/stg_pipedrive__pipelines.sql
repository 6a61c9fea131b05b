-- Grain: one row per landed version of a pipeline.

{% set structure = {
    'name': 'VARCHAR',
    'order_nr': 'BIGINT',
    'is_deleted': 'BOOLEAN',
    'is_deal_probability_enabled': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('pipedrive', 'pipelines') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as pipeline_key,
        landed.record_id as pipeline_id,
        landed.connection,
        landed.record.name as pipeline_name,
        landed.record.order_nr as display_order,
        coalesce(landed.record.is_deal_probability_enabled, true) as has_probability,
        landed.payload is not null and landed.change <> 'merged' as has_content,
        landed.change,
        landed.change in ('deleted', 'archived') or coalesce(landed.record.is_deleted, false) as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
