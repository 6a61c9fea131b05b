-- Grain: one row per landed version of a HubSpot lead.

select
    lead_key,
    lead_id,
    'hubspot' as source_system,
    connection,
    coalesce(name, nullif(trim(concat_ws(' ', first_name, last_name)), '')) as name,
    email,
    company_name,
    company_keys[1] as source_company_key,
    contact_keys[1] as source_contact_key,
    deal_keys[1] as source_deal_key,
    owner_id,
    lead_stage_id as lead_stage,
    source_channel,
    disqualification_reason,
    converted_at is not null or len(deal_keys) > 0 or change = 'converted' as is_converted,
    coalesce(
        disqualification_reason is not null
        or lead_stage_id like 'unqualified%'
        or lead_stage_id like 'disqualified%',
        false
    )
        as is_disqualified,
    coalesce(created_at, record_created_at) as created_at,
    converted_at,
    updated_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_hubspot__leads') }}
