-- Grain: one row per landed version of a person.

{% set structure = {
    'name': 'VARCHAR',
    'first_name': 'VARCHAR',
    'last_name': 'VARCHAR',
    'emails': [{
        'value': 'VARCHAR',
        'primary': 'BOOLEAN',
    }],
    'job_title': 'VARCHAR',
    'org_id': 'VARCHAR',
    'owner_id': 'VARCHAR',
    'add_time': 'TIMESTAMPTZ',
    'update_time': 'TIMESTAMPTZ',
    'survivor_id': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('pipedrive', 'persons') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as person_key,
        landed.record_id as person_id,
        landed.connection,
        nullif(trim(coalesce(landed.record.name, concat_ws(' ', landed.record.first_name, landed.record.last_name))), '') as person_name,
        list_transform(list_filter(coalesce(landed.record.emails, []), lambda one: coalesce(trim(one.value), '') <> ''), lambda one: struct_pack(address := lower(trim(one.value)), is_primary := coalesce(one."primary", false))) as emails,
        nullif(trim(landed.record.job_title), '') as job_title,
        landed.record.org_id as organization_id,
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
