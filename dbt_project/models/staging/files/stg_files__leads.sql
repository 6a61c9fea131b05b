-- Grain: one row per landed version of a lead of a file.

{% set structure = {
    'lead_id': 'VARCHAR',
    'name': 'VARCHAR',
    'company_name': 'VARCHAR',
    'phone': 'VARCHAR',
    'status': 'VARCHAR',
    'source_channel': 'VARCHAR',
    'campaign': 'VARCHAR',
    'owner_id': 'VARCHAR',
    'owner_email': 'VARCHAR',
    'email': 'VARCHAR',
    'converted_deal_id': 'VARCHAR',
    'converted_contact_id': 'VARCHAR',
    'converted_company_id': 'VARCHAR',
    'created_at': 'TIMESTAMPTZ',
    'updated_at': 'TIMESTAMPTZ',
    'qualified_at': 'TIMESTAMPTZ',
    'converted_at': 'TIMESTAMPTZ',
    'is_deleted': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'leads') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as lead_key,
        landed.connection,
        nullif(trim(landed.record.lead_id), '') as lead_id,
        nullif(trim(landed.record.name), '') as name,
        nullif(trim(landed.record.company_name), '') as company_name,
        nullif(trim(landed.record.phone), '') as phone,
        lower(nullif(trim(landed.record.status), '')) as status,
        nullif(trim(landed.record.source_channel), '') as source_channel,
        nullif(trim(landed.record.campaign), '') as campaign,
        nullif(trim(landed.record.owner_id), '') as owner_id,
        lower(nullif(trim(landed.record.owner_email), '')) as owner_email,
        lower(nullif(trim(landed.record.email), '')) as email,
        nullif(trim(landed.record.converted_deal_id), '') as converted_deal_id,
        nullif(trim(landed.record.converted_contact_id), '') as converted_contact_id,
        nullif(trim(landed.record.converted_company_id), '') as converted_company_id,
        landed.record.created_at as created_at,
        landed.record.updated_at as updated_at,
        landed.record.qualified_at as qualified_at,
        landed.record.converted_at as converted_at,
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
