-- Grain: one row per HubSpot owner x landed version.

select
    'hubspot' as source_system,
    connection,
    owner_id,
    owner_key as record_key,
    email,
    nullif(trim(concat_ws(' ', first_name, last_name)), '') as name,
    coalesce(
        {{ list_at('list_filter(teams, lambda team: team.primary)', 1) }}.name,
        {{ list_at('teams', 1) }}.name
    ) as team_key,
    is_active,
    -- An archived owner is a person who left, not one who never was.
    false as is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_hubspot__owners') }}
