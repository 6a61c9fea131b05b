-- Grain: one row per landed version of a Zoho deal, in the canonical columns.
--
-- A deal names its stage and pipeline by the words that people see; here they are the stage's
-- actual value and the pipeline's id. Where there are no pipelines the deal names none: the
-- default one holds. Amounts without a currency are in the organisation's own.

with deals as (
    select * from {{ ref('stg_zoho__deals') }}
),

stage_words as (
    {{ zoho_stage_words() }}
),

pipeline_words as (
    {{ zoho_pipeline_words() }}
),

default_pipelines as (
    select
        connection,
        arg_max(pipeline_id, (is_default, observed_at, sync_id, position)) as pipeline_id
    from {{ ref('stg_zoho__pipelines') }}
    where change = 'upsert'
    group by connection
),

home_currencies as (
    {{ zoho_home_currencies() }}
),

leads as (
    select
        connection,
        converted_deal_id as deal_id,
        min(lead_key) as lead_key
    from {{ ref('stg_zoho__leads') }}
    where converted_deal_id is not null
    group by connection, converted_deal_id
),

told as (
    select
        deal_key,
        bool_or(field = 'amount') as tells_amount
    from {{ ref('lane_zoho__deal_field_events') }}
    group by deal_key
),

placed as (
    select
        deals.*,
        coalesce(stage_words.stage_id, deals.stage_text) as stage_id,
        case
            when deals.has_content then coalesce(
                pipeline_words.pipeline_id,
                deals.pipeline_text,
                default_pipelines.pipeline_id,
                'default'
            )
        end as pipeline_id,
        coalesce(stage_words.forecast_type, '') as forecast_type,
        home_currencies.currency_code as home_currency_code
    from deals
    left join stage_words
        on deals.connection = stage_words.connection and deals.stage_text = stage_words.word
    left join pipeline_words
        on
            deals.connection = pipeline_words.connection
            and deals.pipeline_text = pipeline_words.word
    left join default_pipelines on deals.connection = default_pipelines.connection
    left join home_currencies on deals.connection = home_currencies.connection
)

select
    placed.deal_key,
    placed.deal_id,
    'zoho' as source_system,
    placed.connection,
    placed.deal_name as name,
    placed.deal_type,
    placed.pipeline_id,
    placed.stage_id,
    placed.owner_id,
    case
        when placed.has_content then coalesce(placed.currency_code, placed.home_currency_code)
    end as currency_code,
    case when placed.forecast_type = 'Closed Lost' then placed.loss_reason end as loss_reason,
    placed.source_channel,
    -- Whether an amount includes tax is each organisation's own custom.
    'unknown' as amount_basis,
    leads.lead_key as source_lead_key,
    placed.connection || ':' || placed.company_id as source_company_key,
    placed.connection || ':' || placed.contact_id as source_contact_key,
    placed.deal_amount as amount_amt,
    cast(placed.probability_percent / 100 as decimal(9, 6)) as probability,
    placed.has_content,
    told.deal_key is not null as has_stage_history,
    false as has_pipeline_history,
    coalesce(told.tells_amount, false) as has_amount_history,
    false as has_close_date_history,
    false as has_owner_history,
    false as has_currency_history,
    placed.forecast_type in ('Closed Won', 'Closed Lost') as is_closed,
    placed.is_deleted as is_archived,
    placed.is_deleted,
    placed.expected_close_date,
    placed.created_at,
    placed.updated_at,
    case
        when placed.forecast_type in ('Closed Won', 'Closed Lost') then placed.stage_changed_at
    end as closed_at,
    case when placed.is_deleted then placed.source_updated_at end as deleted_at,
    placed.source_updated_at,
    placed.observed_at,
    placed.change,
    placed.sync_id,
    placed.position,
    placed.raw_version_id
from placed
left join leads on placed.connection = leads.connection and placed.deal_id = leads.deal_id
left join told on placed.deal_key = told.deal_key
