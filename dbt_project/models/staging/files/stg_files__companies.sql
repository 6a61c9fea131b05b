-- Grain: one row per landed version of a company of a file.

{% set structure = {
    'company_id': 'VARCHAR',
    'name': 'VARCHAR',
    'domain': 'VARCHAR',
    'industry': 'VARCHAR',
    'country': 'VARCHAR',
    'tax_id': 'VARCHAR',
    'parent_company_id': 'VARCHAR',
    'merged_into_id': 'VARCHAR',
    'terms_days': 'BIGINT',
    'is_deleted': 'BOOLEAN',
    'created_at': 'TIMESTAMPTZ',
    'updated_at': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'companies') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as company_key,
        landed.record_id as company_id,
        landed.connection,
        nullif(trim(landed.record.name), '') as name,
        lower(nullif(trim(landed.record.domain), '')) as domain,
        landed.record.industry,
        landed.record.country,
        landed.record.tax_id,
        nullif(trim(landed.record.parent_company_id), '') as parent_company_id,
        nullif(trim(landed.record.merged_into_id), '') as merged_into_id,
        landed.record.terms_days,
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
