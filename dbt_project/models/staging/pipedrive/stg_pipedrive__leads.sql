-- Grain: one row per landed version of a lead; a converted one names its deal.

{% set structure = {
    'title': 'VARCHAR',
    'person_id': 'VARCHAR',
    'organization_id': 'VARCHAR',
    'owner_id': 'VARCHAR',
    'source_name': 'VARCHAR',
    'origin': 'VARCHAR',
    'is_archived': 'BOOLEAN',
    'add_time': 'TIMESTAMPTZ',
    'update_time': 'TIMESTAMPTZ',
    'deal_id': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('pipedrive', 'leads') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as lead_key,
        landed.record_id as lead_id,
        landed.connection,
        nullif(trim(landed.record.title), '') as lead_name,
        landed.record.person_id as person_id,
        landed.record.organization_id as organization_id,
        landed.record.owner_id as owner_id,
        coalesce(landed.record.source_name, landed.record.origin) as source_channel,
        landed.record.deal_id as deal_id,
        coalesce(landed.record.is_archived, false) as is_archived,
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
