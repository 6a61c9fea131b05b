-- Grain: one row per landed version of a contact.

{% set structure = {
    'properties': {
        'firstname': 'VARCHAR',
        'lastname': 'VARCHAR',
        'email': 'VARCHAR',
        'hs_additional_emails': 'VARCHAR',
        'phone': 'VARCHAR',
        'jobtitle': 'VARCHAR',
        'company': 'VARCHAR',
        'associatedcompanyid': 'VARCHAR',
        'hubspot_owner_id': 'VARCHAR',
        'lifecyclestage': 'VARCHAR',
        'hs_lead_status': 'VARCHAR',
        'hs_analytics_source': 'VARCHAR',
        'hs_merged_object_ids': 'VARCHAR',
        'createdate': 'TIMESTAMPTZ',
        'lastmodifieddate': 'TIMESTAMPTZ',
    },
    'createdAt': 'TIMESTAMPTZ',
    'archived': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('hubspot', 'contacts') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as contact_key,
        landed.record_id as contact_id,
        landed.connection,
        nullif(trim(landed.record.properties.firstname), '') as first_name,
        nullif(trim(landed.record.properties.lastname), '') as last_name,
        lower(nullif(trim(landed.record.properties.email), '')) as email,
        lower(nullif(trim(landed.record.properties.hs_additional_emails), '')) as additional_emails,
        nullif(trim(landed.record.properties.phone), '') as phone,
        nullif(trim(landed.record.properties.jobtitle), '') as job_title,
        nullif(trim(landed.record.properties.company), '') as company_name,
        nullif(trim(landed.record.properties.associatedcompanyid), '') as associated_company_id,
        nullif(trim(landed.record.properties.hubspot_owner_id), '') as owner_id,
        lower(nullif(trim(landed.record.properties.lifecyclestage), '')) as lifecycle_stage,
        nullif(trim(landed.record.properties.hs_lead_status), '') as lead_status,
        nullif(trim(landed.record.properties.hs_analytics_source), '') as source_channel,
        nullif(trim(landed.record.properties.hs_merged_object_ids), '') as merged_ids,
        landed.record.properties.createdate as created_at,
        landed.record.properties.lastmodifieddate as updated_at,
        landed.record.createdAt as record_created_at,
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
