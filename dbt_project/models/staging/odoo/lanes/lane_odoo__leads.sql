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
),

sources as (
    select
        connection,
        source_id,
        arg_max(source_name, (observed_at, sync_id, position)) as source_name
    from {{ ref('stg_odoo__sources') }}
    where has_content
    group by connection, source_id
),

campaigns as (
    select
        connection,
        campaign_id,
        arg_max(campaign_name, (observed_at, sync_id, position)) as campaign_name
    from {{ ref('stg_odoo__campaigns') }}
    where campaign_name is not null
    group by connection, campaign_id
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
    sources.source_name as source_channel,
    campaigns.campaign_name as campaign,
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
left join sources
    on versions.connection = sources.connection and versions.source_id = sources.source_id
left join campaigns
    on versions.connection = campaigns.connection and versions.campaign_id = campaigns.campaign_id
where versions.deal_key in (select leads.deal_key from leads)
