-- Grain: one row per landed version of a roster row: a person from valid_from on.

{% set structure = {
    'user_id': 'VARCHAR',
    'name': 'VARCHAR',
    'email': 'VARCHAR',
    'team': 'VARCHAR',
    'manager_id': 'VARCHAR',
    'manager_email': 'VARCHAR',
    'role': 'VARCHAR',
    'is_active': 'BOOLEAN',
    'quota_carrying': 'BOOLEAN',
    'hired_on': 'DATE',
    'valid_from': 'DATE',
    'valid_to': 'DATE',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'users') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as roster_key,
        landed.connection,
        nullif(trim(landed.record.user_id), '') as user_id,
        nullif(trim(landed.record.name), '') as name,
        lower(nullif(trim(landed.record.email), '')) as email,
        nullif(trim(landed.record.team), '') as team,
        nullif(trim(landed.record.manager_id), '') as manager_id,
        lower(nullif(trim(landed.record.manager_email), '')) as manager_email,
        nullif(trim(landed.record.role), '') as role,
        landed.record.is_active as is_active,
        landed.record.quota_carrying as quota_carrying,
        landed.record.hired_on as hired_on,
        landed.record.valid_from as valid_from_date,
        landed.record.valid_to as valid_to_date,
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
