-- Grain: one row per landed version of a stage.

{% set structure = {
    'name': 'VARCHAR',
    'pipeline_id': 'VARCHAR',
    'order_nr': 'BIGINT',
    'deal_probability': 'DECIMAL(24,6)',
    'is_deal_rot_enabled': 'BOOLEAN',
    'days_to_rotten': 'BIGINT',
    'is_deleted': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('pipedrive', 'stages') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as stage_key,
        landed.record_id as stage_id,
        landed.connection,
        landed.record.name as stage_name,
        landed.record.pipeline_id as pipeline_id,
        landed.record.order_nr as display_order,
        landed.record.deal_probability as probability_percent,
        case when coalesce(landed.record.is_deal_rot_enabled, true) then landed.record.days_to_rotten end as rotten_days,
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
