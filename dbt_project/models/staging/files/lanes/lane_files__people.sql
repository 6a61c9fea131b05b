-- Grain: one row per person of the roster x landed version.

select
    'files' as source_system,
    connection,
    user_id as owner_id,
    roster_key as record_key,
    email,
    name,
    team as team_key,
    manager_id,
    manager_email,
    role,
    is_active,
    quota_carrying,
    is_deleted,
    hired_on,
    valid_from_date,
    valid_to_date,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_files__users') }}
