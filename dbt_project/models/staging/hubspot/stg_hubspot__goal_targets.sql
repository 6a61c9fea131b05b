-- Grain: one row per landed version of a goal. What a goal counts (money, meetings) HubSpot
-- does not say in these properties, so goals are no quotas of themselves.

{% set structure = {
    'id': 'VARCHAR',
    'properties': {
        'hs_goal_name': 'VARCHAR',
        'hs_target_amount': 'DECIMAL(24,4)',
        'hs_start_datetime': 'TIMESTAMPTZ',
        'hs_end_datetime': 'TIMESTAMPTZ',
        'hs_assignee_user_id': 'VARCHAR',
    },
    'archived': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('hubspot', 'goal_targets') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as goal_key,
        landed.record_id as goal_id,
        landed.connection,
        landed.record.properties.hs_goal_name as name,
        -- The user's id, which is not the owner's.
        landed.record.properties.hs_assignee_user_id as user_id,
        landed.record.properties.hs_target_amount as target,
        landed.record.properties.hs_start_datetime as starts_at,
        landed.record.properties.hs_end_datetime as ends_at,
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
