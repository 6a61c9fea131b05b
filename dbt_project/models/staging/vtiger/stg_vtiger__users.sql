-- Grain: one row per landed version of a user; a deactivated one has no content.

{% set structure = {
    'user_name': 'VARCHAR',
    'first_name': 'VARCHAR',
    'last_name': 'VARCHAR',
    'email1': 'VARCHAR',
    'status': 'VARCHAR',
    'roleid': 'VARCHAR',
    'reports_to_id': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'users') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as user_key,
        landed.record_id as user_id,
        landed.connection,
        nullif(trim(landed.record.user_name), '') as user_name,
        nullif(trim(landed.record.first_name), '') as first_name,
        nullif(trim(landed.record.last_name), '') as last_name,
        lower(nullif(trim(landed.record.email1), '')) as email,
        nullif(trim(landed.record.status), '') as vendor_status,
        nullif(trim(landed.record.roleid), '') as role,
        nullif(trim(landed.record.reports_to_id), '') as manager_id,
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
