-- Grain: one row per landed version of a Salesforce lead, on past its conversion. Of several campaigns
-- the one that it joined first brought it.

with leads as (
    select * from {{ ref('stg_salesforce__leads') }}
),

campaigns as (
    select
        connection,
        campaign_id,
        arg_max(campaign_name, (observed_at, sync_id, position)) as campaign_name
    from {{ ref('stg_salesforce__campaigns') }}
    where campaign_name is not null
    group by connection, campaign_id
),

-- A membership that was taken back brought nobody.
members as (
    select
        connection,
        member_id,
        max(lead_id) as lead_id,
        max(campaign_id) as campaign_id,
        min(joined_at) as joined_at,
        arg_max(is_deleted, (observed_at, sync_id, position)) as is_deleted
    from {{ ref('stg_salesforce__campaign_members') }}
    group by connection, member_id
),

joined as (
    select
        members.connection,
        members.lead_id,
        arg_min(campaigns.campaign_name, (members.joined_at, members.member_id)) as campaign
    from members
    inner join campaigns
        on
            members.connection = campaigns.connection
            and members.campaign_id = campaigns.campaign_id
    where not members.is_deleted and members.lead_id is not null
    group by members.connection, members.lead_id
)

select
    leads.lead_key,
    leads.lead_id,
    'salesforce' as source_system,
    leads.connection,
    leads.lead_name as name,
    leads.email,
    leads.company_name,
    leads.connection || ':' || leads.company_id as source_company_key,
    leads.connection || ':' || leads.contact_id as source_contact_key,
    case when leads.is_converted then leads.connection || ':' || leads.deal_id end as source_deal_key,
    leads.owner_id,
    leads.lead_status as lead_stage,
    leads.source_channel,
    joined.campaign,
    case
        when not leads.is_converted and lower(leads.lead_status) in (
            'unqualified', 'disqualified', 'closed - not converted'
        ) then leads.lead_status
    end as disqualification_reason,
    leads.is_converted,
    coalesce(
        not leads.is_converted and lower(leads.lead_status) in (
            'unqualified', 'disqualified', 'closed - not converted'
        ),
        false
    ) as is_disqualified,
    leads.created_at,
    -- The vendor gives a day; the edit that converted it is of that day.
    case
        when leads.is_converted then coalesce({{ start_of_day('leads.converted_date') }}, leads.updated_at)
    end as converted_at,
    leads.updated_at,
    leads.change,
    leads.is_deleted,
    leads.observed_at,
    leads.sync_id,
    leads.position,
    leads.raw_version_id
from leads
left join joined on leads.connection = joined.connection and leads.lead_id = joined.lead_id
