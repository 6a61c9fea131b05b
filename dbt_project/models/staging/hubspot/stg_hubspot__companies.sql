-- Grain: one row per landed version of a company.

{% set structure = {
    'properties': {
        'name': 'VARCHAR',
        'domain': 'VARCHAR',
        'industry': 'VARCHAR',
        'country': 'VARCHAR',
        'annualrevenue': 'DECIMAL(24,4)',
        'hubspot_owner_id': 'VARCHAR',
        'hs_parent_company_id': 'VARCHAR',
        'hs_merged_object_ids': 'VARCHAR',
        'createdate': 'TIMESTAMPTZ',
        'hs_lastmodifieddate': 'TIMESTAMPTZ',
    },
    'createdAt': 'TIMESTAMPTZ',
    'archived': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('hubspot', 'companies') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as company_key,
        landed.record_id as company_id,
        landed.connection,
        nullif(trim(landed.record.properties.name), '') as name,
        lower(nullif(trim(landed.record.properties.domain), '')) as domain,
        nullif(trim(landed.record.properties.industry), '') as industry,
        nullif(trim(landed.record.properties.country), '') as country,
        cast(landed.record.properties.annualrevenue as {{ money_type() }}) as annual_revenue_amount,
        nullif(trim(landed.record.properties.hubspot_owner_id), '') as owner_id,
        nullif(trim(landed.record.properties.hs_parent_company_id), '') as parent_company_id,
        nullif(trim(landed.record.properties.hs_merged_object_ids), '') as merged_ids,
        landed.record.properties.createdate as created_at,
        landed.record.properties.hs_lastmodifieddate as updated_at,
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
