-- Grain: one row per landed version of a group, which owns records as users do.

{% set structure = {
    'groupname': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'groups') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as group_key,
        landed.record_id as group_id,
        landed.connection,
        nullif(trim(landed.record.groupname), '') as group_name,
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
