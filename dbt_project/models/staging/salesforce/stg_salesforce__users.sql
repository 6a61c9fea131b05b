-- Grain: one row per landed version of a user, those who left included.

{% set structure = {
    'Name': 'VARCHAR',
    'Username': 'VARCHAR',
    'Email': 'VARCHAR',
    'IsActive': 'BOOLEAN',
    'UserRoleId': 'VARCHAR',
    'ManagerId': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'users') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as user_key,
        landed.record_id as user_id,
        landed.connection,
        coalesce(nullif(trim(landed.record.Name), ''), landed.record.Username) as user_name,
        lower(nullif(trim(landed.record.Email), '')) as email,
        landed.record.UserRoleId as role_id,
        landed.record.ManagerId as manager_id,
        coalesce(landed.record.IsActive, true) as is_active,
        landed.payload is not null and landed.change <> 'merged' as has_content,
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
