-- Grain: one row per Pipedrive user x landed version. The team is the first by id that names
-- the user, as of today.

with teams as (
    select
        connection,
        team_id,
        arg_max(team_name, (observed_at, sync_id, position)) as team_name,
        arg_max(manager_id, (observed_at, sync_id, position)) as manager_id,
        arg_max(member_ids, (observed_at, sync_id, position)) as member_ids,
        arg_max(is_deleted, (observed_at, sync_id, position)) as is_deleted
    from {{ ref('stg_pipedrive__teams') }}
    group by connection, team_id
),

members as (
    select
        connection,
        user_id,
        arg_min(team_name, team_id) as team_name,
        arg_min(manager_id, team_id) as manager_id
    from (
        select
            connection,
            cast(team_id as bigint) as team_id,
            team_name,
            manager_id,
            unnest(member_ids) as user_id
        from teams
        where not is_deleted
    ) as listed
    group by connection, user_id
)

select
    'pipedrive' as source_system,
    users.connection,
    users.user_id as owner_id,
    users.user_key as record_key,
    users.email,
    users.user_name as name,
    members.team_name as team_key,
    nullif(members.manager_id, users.user_id) as manager_id,
    users.has_content and users.is_active as is_active,
    users.is_deleted,
    users.observed_at,
    users.sync_id,
    users.position,
    users.raw_version_id
from {{ ref('stg_pipedrive__users') }} as users
left join members
    on users.connection = members.connection and users.user_id = members.user_id
