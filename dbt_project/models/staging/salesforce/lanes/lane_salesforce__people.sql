-- Grain: one row per Salesforce user x landed version, and per queue or group, which owns
-- records as people do. The team is the user's role.

with roles as (
    {{ salesforce_newest(ref('stg_salesforce__roles'), 'role_id', ['role_name']) }}
)

select
    'salesforce' as source_system,
    users.connection,
    users.user_id as owner_id,
    users.user_key as record_key,
    users.email,
    users.user_name as name,
    roles.role_name as team_key,
    users.manager_id,
    roles.role_name as role,
    users.has_content and users.is_active as is_active,
    users.is_deleted,
    users.observed_at,
    users.sync_id,
    users.position,
    users.raw_version_id
from {{ ref('stg_salesforce__users') }} as users
left join roles on users.connection = roles.connection and users.role_id = roles.role_id

{{ union_all_by_name() }}

select
    'salesforce' as source_system,
    connection,
    group_id as owner_id,
    group_key as record_key,
    last_value(group_name ignore nulls) over seen as name,
    not is_deleted as is_active,
    false as is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_salesforce__groups') }}
window seen as (
    partition by group_key order by observed_at, sync_id, position
    rows between unbounded preceding and current row
)
