-- Grain: one row per landed version of a goal.

{% set structure = {
    'type': {
        'name': 'VARCHAR',
        'params': {
            'pipeline_id': ['VARCHAR'],
        },
    },
    'assignee': {
        'id': 'VARCHAR',
        'type': 'VARCHAR',
    },
    'interval': 'VARCHAR',
    'duration': {
        'start': 'DATE',
        'end': 'DATE',
    },
    'expected_outcome': {
        'target': 'DECIMAL(24,4)',
        'tracking_metric': 'VARCHAR',
        'currency_id': 'VARCHAR',
    },
    'is_active': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('pipedrive', 'goals') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as goal_key,
        landed.record_id as goal_id,
        landed.connection,
        landed.record.type.name as goal_type,
        coalesce(landed.record.type.params.pipeline_id, []) as pipeline_ids,
        landed.record.assignee.type as assignee_type,
        landed.record.assignee.id as assignee_id,
        landed.record."interval" as interval_name,
        landed.record.expected_outcome.tracking_metric as tracking_metric,
        landed.record.expected_outcome.currency_id as currency_id,
        cast(landed.record.expected_outcome.target as {{ money_type() }}) as target_amount,
        landed.record.duration.start as starts_on,
        landed.record.duration."end" as ends_on,
        landed.payload is not null and landed.change <> 'merged' as has_content,
        landed.change,
        landed.change in ('deleted', 'archived') or not coalesce(landed.record.is_active, true) as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
