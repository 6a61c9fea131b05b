-- Grain: one row per landed version of the organisation.

{% set structure = {
    'company_name': 'VARCHAR',
    'iso_code': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'organization') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as organization_key,
        landed.record_id as organization_id,
        landed.connection,
        nullif(trim(landed.record.company_name), '') as company_name,
        upper(nullif(trim(landed.record.iso_code), '')) as currency_code,
        landed.payload is not null as has_content,
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
