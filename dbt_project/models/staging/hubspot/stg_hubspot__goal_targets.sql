-- Grain: one row per landed version of the target of a goal for one period.

{% set structure = {
    'id': 'VARCHAR',
    'properties': {
        'hs_goal_name': 'VARCHAR',
        'hs_target_amount': 'DECIMAL(24,4)',
        'hs_start_datetime': 'TIMESTAMPTZ',
        'hs_end_datetime': 'TIMESTAMPTZ',
        'hs_assignee_user_id': 'VARCHAR',
        'hs_assignee_team_id': 'VARCHAR',
        'hubspot_owner_id': 'VARCHAR',
        'hs_goal_type': 'VARCHAR',
        'hs_goal_target_currency_code': 'VARCHAR',
        'hs_pipeline_ids': 'VARCHAR',
        'hs_kpi_unit_type': 'VARCHAR',
        'hs_kpi_metric_type': 'VARCHAR',
        'hs_kpi_object_type_id': 'VARCHAR',
        'hs_kpi_time_period_property': 'VARCHAR',
        'hs_kpi_is_team_rollup': 'BOOLEAN',
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
        -- Newer goals name the owner, older ones the user, whose id is not the owner's.
        nullif(landed.record.properties.hubspot_owner_id, '') as owner_id,
        nullif(landed.record.properties.hs_assignee_user_id, '') as user_id,
        nullif(landed.record.properties.hs_assignee_team_id, '') as team_id,
        lower(landed.record.properties.hs_goal_type) as goal_type,
        lower(landed.record.properties.hs_kpi_unit_type) as unit_type,
        upper(landed.record.properties.hs_kpi_metric_type) as metric_type,
        landed.record.properties.hs_kpi_object_type_id as object_type_id,
        lower(landed.record.properties.hs_kpi_time_period_property) as dated_by,
        nullif(landed.record.properties.hs_pipeline_ids, '') as pipeline_ids,
        nullif(upper(landed.record.properties.hs_goal_target_currency_code), '') as currency_code,
        coalesce(landed.record.properties.hs_kpi_is_team_rollup, false) as is_team_rollup,
        landed.record.properties.hs_target_amount as target,
        landed.record.properties.hs_start_datetime as starts_at,
        landed.record.properties.hs_end_datetime as ends_at,
        landed.payload is not null and landed.change <> 'merged' as has_content,
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
