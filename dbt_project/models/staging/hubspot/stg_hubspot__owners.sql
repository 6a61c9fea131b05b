-- Grain: one row per landed version of an owner, a person that records belong to.

{% set structure = {
    'id': 'VARCHAR',
    'email': 'VARCHAR',
    'firstName': 'VARCHAR',
    'lastName': 'VARCHAR',
    'type': 'VARCHAR',
    'userId': 'VARCHAR',
    'userIdIncludingInactive': 'VARCHAR',
    'teams': [{'id': 'VARCHAR', 'name': 'VARCHAR', 'primary': 'BOOLEAN'}],
    'createdAt': 'TIMESTAMPTZ',
    'updatedAt': 'TIMESTAMPTZ',
    'archived': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('hubspot', 'owners') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as owner_key,
        landed.record_id as owner_id,
        landed.connection,
        -- Property history names the user, hubspot_owner_id the owner: both are kept.
        coalesce(landed.record.userId, landed.record.userIdIncludingInactive) as user_id,
        lower(nullif(trim(landed.record.email), '')) as email,
        nullif(trim(landed.record.firstName), '') as first_name,
        nullif(trim(landed.record.lastName), '') as last_name,
        upper(landed.record.type) as owner_type,
        landed.record.teams as teams,
        not coalesce(landed.record.archived, false)
        and landed.change not in ('deleted', 'archived') as is_active,
        landed.record.createdAt as created_at,
        landed.record.updatedAt as updated_at,
        landed.change,
        landed.change in ('deleted', 'archived')
        or coalesce(landed.record.archived, false) as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
