-- Grain: one row per landed version of a user; a deleted one is archived and keeps its name.

{% set structure = {
    'full_name': 'VARCHAR',
    'email': 'VARCHAR',
    'status': 'VARCHAR',
    'role': {
        'id': 'VARCHAR',
        'name': 'VARCHAR',
    },
    'Reporting_To': {'id': 'VARCHAR'},
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'users') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as user_key,
        landed.record_id as user_id,
        landed.connection,
        nullif(trim(landed.record.full_name), '') as user_name,
        lower(nullif(trim(landed.record.email), '')) as email,
        nullif(trim(landed.record.status), '') as vendor_status,
        landed.record.role.id as role_id,
        landed.record.role.name as role_name,
        landed.record.Reporting_To.id as manager_id,
        landed.payload is not null as has_content,
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
