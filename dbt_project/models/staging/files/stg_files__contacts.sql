-- Grain: one row per landed version of a contact of a file.

{% set structure = {
    'contact_id': 'VARCHAR',
    'first_name': 'VARCHAR',
    'last_name': 'VARCHAR',
    'name': 'VARCHAR',
    'email': 'VARCHAR',
    'other_emails': ['VARCHAR'],
    'phone': 'VARCHAR',
    'job_title': 'VARCHAR',
    'company_id': 'VARCHAR',
    'company_name': 'VARCHAR',
    'merged_into_id': 'VARCHAR',
    'is_deleted': 'BOOLEAN',
    'created_at': 'TIMESTAMPTZ',
    'updated_at': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'contacts') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as contact_key,
        landed.record_id as contact_id,
        landed.connection,
        nullif(trim(landed.record.first_name), '') as first_name,
        nullif(trim(landed.record.last_name), '') as last_name,
        nullif(trim(landed.record.name), '') as name,
        lower(nullif(trim(landed.record.email), '')) as email,
        list_transform(coalesce(landed.record.other_emails, []), lambda one: lower(one))
            as other_emails,
        nullif(trim(landed.record.phone), '') as phone,
        nullif(trim(landed.record.job_title), '') as job_title,
        nullif(trim(landed.record.company_id), '') as company_id,
        nullif(trim(landed.record.company_name), '') as company_name,
        nullif(trim(landed.record.merged_into_id), '') as merged_into_id,
        landed.change,
        landed.change <> 'upsert' or coalesce(landed.record.is_deleted, false) as is_deleted,
        landed.record.created_at,
        landed.record.updated_at,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
