-- Grain: one row per Odoo user x landed version.

select
    'odoo' as source_system,
    connection,
    user_id as owner_id,
    user_key as record_key,
    lower(coalesce(email, case when login like '%@%' then login end)) as email,
    coalesce(user_name, login) as name,
    has_content and coalesce(is_active, true) as is_active,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_odoo__users') }}
