-- Grain: one row per landed version of a partner: a company or a person.

{% set structure = {
    'name': 'VARCHAR',
    'is_company': 'BOOLEAN',
    'email': 'VARCHAR',
    'website': 'VARCHAR',
    'function': 'VARCHAR',
    'parent_id': 'VARCHAR',
    'commercial_partner_id': 'VARCHAR',
    'country_id': 'VARCHAR',
    'industry_id': 'VARCHAR',
    'user_id': 'VARCHAR',
    'create_date': 'TIMESTAMPTZ',
    'write_date': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'partners') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as partner_key,
        landed.record_id as partner_id,
        landed.connection,
        {{ odoo_text('landed.record.name') }} as name,
        landed.record.is_company as is_company,
        {{ odoo_text('landed.record.email') }} as email,
        {{ odoo_text('landed.record.website') }} as website,
        {{ odoo_text('landed.record.function') }} as job_title,
        {{ odoo_id('landed.record.parent_id') }} as parent_id,
        {{ odoo_id('landed.record.commercial_partner_id') }} as commercial_partner_id,
        {{ odoo_id('landed.record.country_id') }} as country_id,
        {{ odoo_id('landed.record.industry_id') }} as industry_id,
        {{ odoo_id('landed.record.user_id') }} as owner_id,
        landed.record.create_date as created_at,
        landed.record.write_date as updated_at,
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
