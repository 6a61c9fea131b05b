-- Grain: one row per landed version of a Vtiger opportunity, in the canonical columns.

with deals as (
    select * from {{ ref('stg_vtiger__deals') }}
),

currencies as (
    select * from {{ ref('stg_vtiger__currencies') }}
    where change = 'upsert'
    qualify row_number() over (
        partition by currency_key order by observed_at desc, sync_id desc, position desc
    ) = 1
),

base_currencies as (
    select
        connection,
        -- The installation marks its own by -11; its rate is one by definition.
        arg_min(currency_code, (default_mark is distinct from '-11', currency_id))
            as currency_code
    from currencies
    where conversion_rate = 1
    group by connection
)

select
    deals.deal_key,
    deals.deal_id,
    'vtiger' as source_system,
    deals.connection,
    deals.deal_name as name,
    deals.deal_type,
    case when deals.has_content then coalesce(deals.pipeline_id, 'default') end as pipeline_id,
    deals.stage_id,
    deals.owner_id,
    case
        when deals.has_content then coalesce(own.currency_code, base_currencies.currency_code)
    end as currency_code,
    deals.source_channel,
    -- Vtiger does not say whether the amount includes tax.
    'unknown' as amount_basis,
    deals.connection || ':' || deals.company_id as source_company_key,
    deals.connection || ':' || deals.contact_id as source_contact_key,
    deals.deal_amount as amount_amt,
    cast(deals.probability_percent / 100 as decimal(9, 6)) as probability,
    deals.has_content,
    -- Nothing is told of the past: it is what our own versions saw.
    false as has_stage_history,
    false as has_pipeline_history,
    false as has_amount_history,
    false as has_close_date_history,
    false as has_owner_history,
    false as has_currency_history,
    coalesce(lower(deals.stage_id) in ('closed won', 'closed lost'), false) as is_closed,
    deals.is_deleted as is_archived,
    deals.is_deleted,
    deals.expected_close_date,
    deals.created_at,
    deals.updated_at,
    deals.source_updated_at,
    deals.observed_at,
    deals.change,
    deals.sync_id,
    deals.position,
    deals.raw_version_id
from deals
left join base_currencies on deals.connection = base_currencies.connection
left join currencies as own
    on
        deals.connection = own.connection
        and deals.currency_id = own.currency_id
