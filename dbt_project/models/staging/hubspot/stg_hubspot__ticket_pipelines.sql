-- Grain: one row per landed version of a ticket pipeline, its stages as a list.

{% set structure = {
    'stages': [{
        'id': 'VARCHAR',
        'label': 'VARCHAR',
        'metadata': {'ticketState': 'VARCHAR'},
    }],
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('hubspot', 'ticket_pipelines') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as pipeline_key,
        landed.connection,
        landed.record.stages as stages,
        landed.change,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
