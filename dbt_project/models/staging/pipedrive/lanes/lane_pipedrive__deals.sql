-- Grain: one row per landed version of a Pipedrive deal, in the canonical columns.
--
-- Won and lost are states here and no stages: a deal that is one of them stands in the stage
-- 'won' or 'lost' of its pipeline.

with deals as (
    select * from {{ ref('stg_pipedrive__deals') }}
),

told as (
    select distinct deal_key from {{ ref('lane_pipedrive__deal_field_events') }}
)

select
    deals.deal_key,
    deals.deal_id,
    'pipedrive' as source_system,
    deals.connection,
    deals.deal_name as name,
    deals.pipeline_id,
    case
        when deals.vendor_status in ('won', 'lost') then deals.vendor_status
        else deals.source_stage_id
    end as stage_id,
    deals.owner_id,
    deals.currency_code,
    case when deals.vendor_status = 'lost' then deals.lost_reason end as loss_reason,
    deals.source_channel,
    -- Whether a deal's value includes tax is each company's own custom.
    'unknown' as amount_basis,
    deals.connection || ':' || deals.source_lead_id as source_lead_key,
    deals.connection || ':' || deals.organization_id as source_company_key,
    deals.connection || ':' || deals.person_id as source_contact_key,
    deals.connection || ':' || deals.survivor_id as merged_into_key,
    deals.deal_amount as amount_amt,
    -- Null where the deal has none of its own: then that of its stage holds.
    case deals.vendor_status
        when 'won' then 1
        when 'lost' then 0
        else cast(deals.probability_percent / 100 as decimal(9, 6))
    end as probability,
    deals.has_content,
    told.deal_key is not null as has_stage_history,
    told.deal_key is not null as has_pipeline_history,
    told.deal_key is not null as has_amount_history,
    told.deal_key is not null as has_close_date_history,
    told.deal_key is not null as has_owner_history,
    told.deal_key is not null as has_currency_history,
    coalesce(deals.vendor_status in ('won', 'lost'), false) as is_closed,
    deals.is_archived,
    deals.is_deleted,
    deals.expected_close_date,
    deals.created_at,
    deals.updated_at,
    case deals.vendor_status
        when 'won' then coalesce(deals.won_at, deals.closed_at)
        when 'lost' then coalesce(deals.lost_at, deals.closed_at)
    end as closed_at,
    case when deals.is_deleted then deals.updated_at end as deleted_at,
    deals.source_updated_at,
    deals.observed_at,
    deals.change,
    deals.sync_id,
    deals.position,
    deals.raw_version_id
from deals
left join told on deals.deal_key = told.deal_key
