-- Grain: one row per landed version of an Odoo opportunity, in the canonical columns.
--
-- A lost deal is archived where it lay: its stage here is 'lost', which Odoo does not have.

with versions as (
    select * from {{ ref('stg_odoo__deals') }}
),

opportunities as (
    select distinct deal_key from versions
    where lead_type = 'opportunity'
),

deals as (
    select
        *,
        has_content
        and not is_active
        and coalesce(won_status, '') <> 'won'
        and (
            coalesce(won_status, '') = 'lost'
            or lost_reason_id is not null
            or coalesce(probability_percent, 0) = 0
        ) as is_lost
    from versions
    where
        lead_type = 'opportunity'
        or (not has_content and deal_key in (select opportunities.deal_key from opportunities))
),

-- Names as they are now: what they were called is nobody's history here.
currencies as (
    select
        connection,
        currency_id,
        arg_max(upper(currency_code), (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_odoo__currencies') }}
    where has_content
    group by connection, currency_id
),

own_companies as (
    select
        connection,
        own_company_id,
        arg_max(currency_id, (observed_at, sync_id, position)) as currency_id
    from {{ ref('stg_odoo__own_companies') }}
    where has_content
    group by connection, own_company_id
),

lost_reasons as (
    select
        connection,
        lost_reason_id,
        arg_max(reason_name, (observed_at, sync_id, position)) as reason_name
    from {{ ref('stg_odoo__lost_reasons') }}
    where has_content
    group by connection, lost_reason_id
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

stages as (
    select
        connection,
        stage_id,
        arg_max(is_won, (observed_at, sync_id, position)) as is_won
    from {{ ref('stg_odoo__stages') }}
    where has_content
    group by connection, stage_id
),

partners as (
    select
        connection,
        partner_id,
        arg_max(is_company, (observed_at, sync_id, position)) as is_company,
        arg_max(
            coalesce(commercial_partner_id, parent_id), (observed_at, sync_id, position)
        ) as company_id
    from {{ ref('stg_odoo__partners') }}
    where has_content
    group by connection, partner_id
),

tracked as (
    select distinct deal_key from {{ ref('lane_odoo__deal_field_events') }}
)

select
    deals.deal_key,
    deals.deal_id,
    'odoo' as source_system,
    deals.connection,
    deals.deal_name as name,
    case when deals.has_content then coalesce(deals.team_id, 'default') end as pipeline_id,
    case when deals.is_lost then 'lost' else deals.source_stage_id end as stage_id,
    deals.owner_id,
    -- Odoo's revenue is in the currency of the deal's company.
    currencies.currency_code,
    case when deals.is_lost then lost_reasons.reason_name end as loss_reason,
    sources.source_name as source_channel,
    -- Odoo does not say whether the expected revenue includes tax.
    'unknown' as amount_basis,
    case when partners.is_company
        then deals.connection || ':' || deals.partner_id
        else deals.connection || ':' || nullif(partners.company_id, deals.partner_id)
    end as source_company_key,
    case when not partners.is_company
        then deals.connection || ':' || deals.partner_id
    end as source_contact_key,
    deals.deal_amount as amount_amt,
    cast(deals.probability_percent / 100 as decimal(9, 6)) as probability,
    deals.has_content,
    tracked.deal_key is not null as has_stage_history,
    false as has_pipeline_history,
    false as has_amount_history,
    false as has_close_date_history,
    false as has_owner_history,
    false as has_currency_history,
    deals.is_lost or coalesce(stages.is_won, false) as is_closed,
    deals.is_deleted as is_archived,
    deals.is_deleted,
    deals.expected_close_date,
    deals.created_at,
    deals.updated_at,
    deals.closed_at,
    deals.source_updated_at,
    deals.observed_at,
    deals.change,
    deals.sync_id,
    deals.position,
    deals.raw_version_id
from deals
left join own_companies
    on
        deals.connection = own_companies.connection
        and deals.own_company_id = own_companies.own_company_id
left join currencies
    on
        deals.connection = currencies.connection
        and coalesce(deals.company_currency_id, own_companies.currency_id)
        = currencies.currency_id
left join lost_reasons
    on
        deals.connection = lost_reasons.connection
        and deals.lost_reason_id = lost_reasons.lost_reason_id
left join sources
    on deals.connection = sources.connection and deals.source_id = sources.source_id
left join stages
    on deals.connection = stages.connection and deals.source_stage_id = stages.stage_id
left join partners
    on deals.connection = partners.connection and deals.partner_id = partners.partner_id
left join tracked on deals.deal_key = tracked.deal_key
