-- Grain: one row per landed version of an activity of a file.

{% set structure = {
    'activity_id': 'VARCHAR',
    'activity_type': 'VARCHAR',
    'direction': 'VARCHAR',
    'subject': 'VARCHAR',
    'owner_id': 'VARCHAR',
    'owner_email': 'VARCHAR',
    'deal_id': 'VARCHAR',
    'contact_id': 'VARCHAR',
    'company_id': 'VARCHAR',
    'lead_id': 'VARCHAR',
    'participants': 'BIGINT',
    'is_done': 'BOOLEAN',
    'occurred_at': 'TIMESTAMPTZ',
    'due_at': 'TIMESTAMPTZ',
    'created_at': 'TIMESTAMPTZ',
    'is_deleted': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'activities') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as activity_key,
        landed.connection,
        nullif(trim(landed.record.activity_id), '') as activity_id,
        lower(nullif(trim(landed.record.activity_type), '')) as activity_type,
        lower(nullif(trim(landed.record.direction), '')) as direction,
        nullif(trim(landed.record.subject), '') as subject,
        nullif(trim(landed.record.owner_id), '') as owner_id,
        lower(nullif(trim(landed.record.owner_email), '')) as owner_email,
        nullif(trim(landed.record.deal_id), '') as deal_id,
        nullif(trim(landed.record.contact_id), '') as contact_id,
        nullif(trim(landed.record.company_id), '') as company_id,
        nullif(trim(landed.record.lead_id), '') as lead_id,
        landed.record.participants as participants,
        landed.record.is_done as is_done,
        landed.record.occurred_at as occurred_at,
        landed.record.due_at as due_at,
        landed.record.created_at as created_at,
        landed.change,
        landed.change in ('deleted', 'archived')
        or coalesce(landed.record.is_deleted, false) as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
