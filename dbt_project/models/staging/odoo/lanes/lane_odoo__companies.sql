-- Grain: one row per landed version of an Odoo partner that is a company.

with kinds as (
    select
        partner_key,
        arg_max(is_company, (observed_at, sync_id, position)) as is_company
    from {{ ref('stg_odoo__partners') }}
    where has_content
    group by partner_key
),

partners as (
    select versions.*
    from {{ ref('stg_odoo__partners') }} as versions
    inner join kinds on versions.partner_key = kinds.partner_key
    where coalesce(kinds.is_company, false)
),

industries as (
    select
        connection,
        industry_id,
        arg_max(industry_name, (observed_at, sync_id, position)) as industry_name
    from {{ ref('stg_odoo__industries') }}
    where has_content
    group by connection, industry_id
),

countries as (
    select
        connection,
        country_id,
        arg_max(country_code, (observed_at, sync_id, position)) as country_code
    from {{ ref('stg_odoo__countries') }}
    where has_content
    group by connection, country_id
)

select
    partners.partner_key as company_key,
    partners.partner_id as company_id,
    'odoo' as source_system,
    partners.connection,
    partners.name,
    nullif(
        regexp_extract(
            lower(partners.website), '^(?:[a-z]+://)?(?:www[.])?([^/:?#]+[.][^/:?#]+)', 1
        ), ''
    ) as domain,
    industries.industry_name as industry,
    countries.country_code as country,
    partners.owner_id,
    partners.parent_id as parent_company_id,
    partners.change,
    partners.is_deleted,
    partners.created_at,
    partners.updated_at,
    partners.observed_at,
    partners.sync_id,
    partners.position,
    partners.raw_version_id
from partners
left join industries
    on
        partners.connection = industries.connection
        and partners.industry_id = industries.industry_id
left join countries
    on partners.connection = countries.connection and partners.country_id = countries.country_id
