-- Grain: one row per landed version of a role.

{% set structure = {
    'Name': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'roles') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as role_key,
        landed.record_id as role_id,
        landed.connection,
        nullif(trim(landed.record.Name), '') as role_name,
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
