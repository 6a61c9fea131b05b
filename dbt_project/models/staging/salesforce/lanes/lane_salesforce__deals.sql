-- Grain: one row per landed version of an opportunity, in the canonical columns.
--
-- A stage is its label; the sales process is the record type's, or 'default'. Only orgs of
-- several currencies name one on the record.

with deals as (
    select * from {{ ref('stg_salesforce__deals') }}
),

organizations as (
    select
        connection,
        arg_max(currency_code, (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_salesforce__organization') }}
    where has_content
    group by connection
),

leads as (
    select
        connection,
        deal_id,
        min(lead_key) as lead_key
    from {{ ref('stg_salesforce__leads') }}
    where deal_id is not null
    group by connection, deal_id
),

told as (
    select distinct deal_key from {{ ref('lane_salesforce__deal_field_events') }}
)

select
    deals.deal_key,
    deals.deal_id,
    'salesforce' as source_system,
    deals.connection,
    deals.deal_name as name,
    deals.deal_type,
    case when deals.has_content then coalesce(deals.record_type_id, 'default') end as pipeline_id,
    deals.stage_name as stage_id,
    deals.owner_id,
    case
        when deals.has_content then coalesce(deals.currency_code, organizations.currency_code)
    end as currency_code,
    -- The category of the forecast that the seller chose; a closed one is told by the stage.
    nullif(case lower(deals.forecast_category_name)
        when 'omitted' then 'omitted'
        when 'pipeline' then 'pipeline'
        when 'best case' then 'best_case'
        when 'most likely' then 'most_likely'
        when 'commit' then 'commit'
        when 'closed' then 'closed'
    end, 'closed') as forecast_category,
    case when deals.is_closed and not deals.is_won then deals.loss_reason end as loss_reason,
    deals.source_channel,
    -- Whether an amount includes tax is each org's own custom.
    'unknown' as amount_basis,
    leads.lead_key as source_lead_key,
    deals.connection || ':' || deals.company_id as source_company_key,
    deals.connection || ':' || deals.contact_id as source_contact_key,
    deals.connection || ':' || deals.survivor_id as merged_into_key,
    deals.deal_amount as amount_amt,
    cast(deals.probability_percent / 100 as decimal(9, 6)) as probability,
    deals.has_content,
    told.deal_key is not null as has_stage_history,
    false as has_pipeline_history,
    told.deal_key is not null as has_amount_history,
    told.deal_key is not null as has_close_date_history,
    false as has_owner_history,
    told.deal_key is not null and deals.currency_code is not null as has_currency_history,
    coalesce(deals.is_closed, false) as is_closed,
    deals.is_deleted as is_archived,
    deals.is_deleted,
    deals.close_date as expected_close_date,
    deals.created_at,
    deals.updated_at,
    case when deals.is_closed then deals.stage_changed_at end as closed_at,
    case when deals.is_deleted then deals.source_updated_at end as deleted_at,
    deals.source_updated_at,
    deals.observed_at,
    deals.change,
    deals.sync_id,
    deals.position,
    deals.raw_version_id
from deals
left join organizations on deals.connection = organizations.connection
left join leads on deals.connection = leads.connection and deals.deal_id = leads.deal_id
left join told on deals.deal_key = told.deal_key
