-- Grain: one row per Zoho user x landed version. The team is the user's role.

select
    'zoho' as source_system,
    connection,
    user_id as owner_id,
    user_key as record_key,
    -- A user who is not listed any more is who it was when we saw it last.
    last_value(email ignore nulls) over seen as email,
    last_value(user_name ignore nulls) over seen as name,
    last_value(role_name ignore nulls) over seen as team_key,
    last_value(role_name ignore nulls) over seen as role,
    last_value(manager_id ignore nulls) over seen as manager_id,
    change = 'upsert' and coalesce(vendor_status = 'active', false) as is_active,
    false as is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_zoho__users') }}
window seen as (
    partition by user_key order by observed_at, sync_id, position
    rows between unbounded preceding and current row
)
