-- Grain: one row per landed version of a lead.

{% set structure = {
    'properties': {
        'hs_lead_name': 'VARCHAR',
        'hs_lead_type': 'VARCHAR',
        'hs_lead_label': 'VARCHAR',
        'hs_pipeline': 'VARCHAR',
        'hs_pipeline_stage': 'VARCHAR',
        'hubspot_owner_id': 'VARCHAR',
        'hs_associated_contact_email': 'VARCHAR',
        'hs_associated_contact_firstname': 'VARCHAR',
        'hs_associated_contact_lastname': 'VARCHAR',
        'hs_associated_company_name': 'VARCHAR',
        'hs_lead_source': 'VARCHAR',
        'hs_lead_disqualification_reason': 'VARCHAR',
        'hs_merged_object_ids': 'VARCHAR',
        'hs_createdate': 'TIMESTAMPTZ',
        'hs_lead_converted_date': 'TIMESTAMPTZ',
        'hs_lastmodifieddate': 'TIMESTAMPTZ',
    },
    'associations': {
        'contacts': {'results': [{'id': 'VARCHAR'}]},
        'companies': {'results': [{'id': 'VARCHAR'}]},
        'deals': {'results': [{'id': 'VARCHAR'}]},
    },
    'createdAt': 'TIMESTAMPTZ',
    'archived': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('hubspot', 'leads') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as lead_key,
        landed.record_id as lead_id,
        landed.connection,
        nullif(trim(landed.record.properties.hs_lead_name), '') as name,
        nullif(trim(landed.record.properties.hs_lead_type), '') as lead_type,
        nullif(trim(landed.record.properties.hs_lead_label), '') as label,
        nullif(trim(landed.record.properties.hs_pipeline), '') as pipeline_id,
        nullif(trim(landed.record.properties.hs_pipeline_stage), '') as lead_stage_id,
        nullif(trim(landed.record.properties.hubspot_owner_id), '') as owner_id,
        lower(nullif(trim(landed.record.properties.hs_associated_contact_email), '')) as email,
        nullif(trim(landed.record.properties.hs_associated_contact_firstname), '') as first_name,
        nullif(trim(landed.record.properties.hs_associated_contact_lastname), '') as last_name,
        nullif(trim(landed.record.properties.hs_associated_company_name), '') as company_name,
        nullif(trim(landed.record.properties.hs_lead_source), '') as source_channel,
        nullif(trim(landed.record.properties.hs_lead_disqualification_reason), '') as disqualification_reason,
        nullif(trim(landed.record.properties.hs_merged_object_ids), '') as merged_ids,
        landed.record.properties.hs_createdate as created_at,
        landed.record.properties.hs_lead_converted_date as converted_at,
        landed.record.properties.hs_lastmodifieddate as updated_at,
        list_sort(list_distinct(list_transform(
            coalesce(landed.record.associations.contacts.results, []),
            lambda one: concat(landed.connection, ':', one.id)
        ))) as contact_keys,
        list_sort(list_distinct(list_transform(
            coalesce(landed.record.associations.companies.results, []),
            lambda one: concat(landed.connection, ':', one.id)
        ))) as company_keys,
        list_sort(list_distinct(list_transform(
            coalesce(landed.record.associations.deals.results, []),
            lambda one: concat(landed.connection, ':', one.id)
        ))) as deal_keys,
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
