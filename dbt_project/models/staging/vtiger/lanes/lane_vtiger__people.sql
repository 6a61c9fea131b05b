-- Grain: one row per Vtiger user or group x landed version.

select
    'vtiger' as source_system,
    connection,
    user_id as owner_id,
    user_key as record_key,
    -- The server shows nothing of a deactivated user: who it was is what we saw before.
    last_value(email ignore nulls) over seen as email,
    last_value(
        coalesce(nullif(trim(concat_ws(' ', first_name, last_name)), ''), user_name) ignore nulls
    ) over seen as name,
    last_value(manager_id ignore nulls) over seen as manager_id,
    last_value(role ignore nulls) over seen as role,
    change = 'upsert' and coalesce(vendor_status, 'Active') = 'Active' as is_active,
    false as is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_vtiger__users') }}
window seen as (
    partition by user_key order by observed_at, sync_id, position
    rows between unbounded preceding and current row
)

{{ union_all_by_name() }}

-- A group owns deals as a person does, and has no address.
select
    'vtiger' as source_system,
    connection,
    group_id as owner_id,
    group_key as record_key,
    last_value(group_name ignore nulls) over seen as name,
    last_value(group_name ignore nulls) over seen as team_key,
    not is_deleted as is_active,
    false as is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_vtiger__groups') }}
window seen as (
    partition by group_key order by observed_at, sync_id, position
    rows between unbounded preceding and current row
)
