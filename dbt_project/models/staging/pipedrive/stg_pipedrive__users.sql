-- Grain: one row per landed version of a user, those who left included.

{% set structure = {
    'name': 'VARCHAR',
    'email': 'VARCHAR',
    'active_flag': 'BOOLEAN',
    'is_deleted': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('pipedrive', 'users') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as user_key,
        landed.record_id as user_id,
        landed.connection,
        nullif(trim(landed.record.name), '') as user_name,
        lower(nullif(trim(landed.record.email), '')) as email,
        coalesce(landed.record.active_flag, true) and not coalesce(landed.record.is_deleted, false) as is_active,
        landed.payload is not null and landed.change <> 'merged' as has_content,
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
