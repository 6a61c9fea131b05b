-- Grain: one row per landed version of an Odoo lead, on past its conversion.
--
-- A conversion keeps the row: the lead is the deal of the same id from then on.

with versions as (
    select * from {{ ref('stg_odoo__deals') }}
),

-- An opportunity that was a lead before we read it bears the date of its conversion.
leads as (
    select distinct deal_key from versions
    where lead_type = 'lead' or converted_at > created_at
)

select
    versions.deal_key as lead_key,
    versions.deal_id as lead_id,
    'odoo' as source_system,
    versions.connection,
    coalesce(versions.contact_name, versions.deal_name) as name,
    lower(versions.email) as email,
    versions.partner_name as company_name,
    case when versions.lead_type = 'opportunity' then versions.deal_key end as source_deal_key,
    versions.owner_id,
    case
        when versions.lead_type = 'opportunity' then 'converted'
        when not versions.is_active then 'lost'
        when versions.has_content then 'open'
    end as lead_stage,
    coalesce(versions.lead_type = 'opportunity', false) as is_converted,
    coalesce(versions.lead_type = 'lead' and not versions.is_active, false) as is_disqualified,
    versions.created_at,
    case
        when versions.lead_type = 'opportunity'
            then coalesce(versions.converted_at, versions.updated_at)
    end as converted_at,
    versions.updated_at,
    versions.change,
    versions.is_deleted,
    versions.observed_at,
    versions.sync_id,
    versions.position,
    versions.raw_version_id
from versions
where versions.deal_key in (select leads.deal_key from leads)
