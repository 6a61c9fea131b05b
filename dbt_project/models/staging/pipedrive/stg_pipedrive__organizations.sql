-- Grain: one row per landed version of an organization.

{% set structure = {
    'name': 'VARCHAR',
    'website': 'VARCHAR',
    'industry': 'VARCHAR',
    'address': {
        'country': 'VARCHAR',
    },
    'owner_id': 'VARCHAR',
    'add_time': 'TIMESTAMPTZ',
    'update_time': 'TIMESTAMPTZ',
    'survivor_id': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('pipedrive', 'organizations') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as organization_key,
        landed.record_id as organization_id,
        landed.connection,
        nullif(trim(landed.record.name), '') as organization_name,
        nullif(trim(landed.record.website), '') as website,
        landed.record.industry as industry_id,
        nullif(trim(landed.record.address.country), '') as country,
        landed.record.owner_id as owner_id,
        landed.record.survivor_id as survivor_id,
        landed.record.add_time as created_at,
        landed.record.update_time as updated_at,
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
