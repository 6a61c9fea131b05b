-- Grain: one row per landed version of a queue or group, which owns records as people do.

{% set structure = {
    'Name': 'VARCHAR',
    'DeveloperName': 'VARCHAR',
    'Type': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'groups') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as group_key,
        landed.record_id as group_id,
        landed.connection,
        coalesce(nullif(trim(landed.record.Name), ''), landed.record.DeveloperName) as group_name,
        landed.record.Type as group_type,
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
