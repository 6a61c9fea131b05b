-- Grain: one row per landed version of a Vtiger lead.
--
-- Vtiger keeps no link between a lead and what came of it: a deal that bears the mark of a
-- conversion, of the same owner and within ten seconds of it, is the lead's if there is no
-- other candidate on either side.

with leads as (
    select * from {{ ref('stg_vtiger__leads') }}
),

conversions as (
    select
        connection,
        lead_key,
        owner_id,
        min(updated_at) as converted_at
    from leads
    where change = 'converted'
    group by connection, lead_key, owner_id
),

converted_deals as (
    select
        connection,
        deal_key,
        arg_min(owner_id, (observed_at, sync_id, position)) as owner_id,
        min(created_at) as created_at
    from {{ ref('stg_vtiger__deals') }}
    where converted_mark in ('1', 'on', 'true')
    group by connection, deal_key
),

candidates as (
    select
        conversions.lead_key,
        deals.deal_key,
        count(*) over (partition by conversions.lead_key) as deals_of_lead,
        count(*) over (partition by deals.deal_key) as leads_of_deal
    from conversions
    inner join converted_deals as deals
        on
            conversions.connection = deals.connection
            and conversions.owner_id = deals.owner_id
            and deals.created_at between
            conversions.converted_at - interval '10 seconds'
            and conversions.converted_at + interval '10 seconds'
),

matched as (
    select lead_key, deal_key from candidates
    where deals_of_lead = 1 and leads_of_deal = 1
)

select
    leads.lead_key,
    leads.lead_id,
    'vtiger' as source_system,
    leads.connection,
    nullif(trim(concat_ws(' ', leads.first_name, leads.last_name)), '') as name,
    leads.email,
    leads.company_name,
    case when leads.change = 'converted' then matched.deal_key end as source_deal_key,
    leads.owner_id,
    leads.lead_status as lead_stage,
    leads.source_channel,
    case
        when lower(leads.lead_status) in ('junk lead', 'lost lead') then leads.lead_status
    end as disqualification_reason,
    leads.change = 'converted' as is_converted,
    coalesce(lower(leads.lead_status) in ('junk lead', 'lost lead'), false) as is_disqualified,
    leads.created_at,
    case when leads.change = 'converted' then leads.updated_at end as converted_at,
    leads.updated_at,
    leads.change,
    leads.is_deleted,
    leads.observed_at,
    leads.sync_id,
    leads.position,
    leads.raw_version_id
from leads
left join matched on leads.lead_key = matched.lead_key
