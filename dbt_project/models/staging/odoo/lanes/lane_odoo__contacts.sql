-- Grain: one row per landed version of an Odoo partner that is a person.

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
    where not coalesce(kinds.is_company, false)
)

select
    partners.partner_key as contact_key,
    partners.partner_id as contact_id,
    'odoo' as source_system,
    partners.connection,
    partners.name,
    lower(partners.email) as email,
    cast([] as varchar[]) as other_emails,
    partners.job_title,
    coalesce(
        nullif(partners.commercial_partner_id, partners.partner_id), partners.parent_id
    ) as company_id,
    partners.owner_id,
    partners.change,
    partners.is_deleted,
    partners.created_at,
    partners.updated_at,
    partners.observed_at,
    partners.sync_id,
    partners.position,
    partners.raw_version_id
from partners
