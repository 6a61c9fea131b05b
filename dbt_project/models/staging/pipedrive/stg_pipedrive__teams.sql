-- Grain: one row per landed version of a team and its members.

{% set structure = {
    'name': 'VARCHAR',
    'manager_id': 'VARCHAR',
    'users': ['VARCHAR'],
    'active_flag': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('pipedrive', 'teams') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as team_key,
        landed.record_id as team_id,
        landed.connection,
        landed.record.name as team_name,
        landed.record.manager_id as manager_id,
        coalesce(landed.record.users, []) as member_ids,
        landed.payload is not null and landed.change <> 'merged' as has_content,
        landed.change,
        landed.change in ('deleted', 'archived') or not coalesce(landed.record.active_flag, true) as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
