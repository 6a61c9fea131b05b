-- Grain: one row per landed version of a Zoho lead, on past its conversion.

select
    lead_key,
    lead_id,
    'zoho' as source_system,
    connection,
    lead_name as name,
    email,
    company_name,
    connection || ':' || converted_company_id as source_company_key,
    connection || ':' || converted_contact_id as source_contact_key,
    connection || ':' || converted_deal_id as source_deal_key,
    owner_id,
    lead_status as lead_stage,
    source_channel,
    case
        when
            change <> 'converted'
            and lower(lead_status) in ('junk lead', 'lost lead', 'not qualified')
            then lead_status
    end as disqualification_reason,
    change = 'converted' as is_converted,
    coalesce(
        change <> 'converted'
        and lower(lead_status) in ('junk lead', 'lost lead', 'not qualified'),
        false
    ) as is_disqualified,
    created_at,
    case when change = 'converted' then coalesce(converted_at, updated_at) end as converted_at,
    updated_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_zoho__leads') }}
