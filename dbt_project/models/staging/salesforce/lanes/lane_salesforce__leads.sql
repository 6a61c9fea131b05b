-- Grain: one row per landed version of a Salesforce lead, on past its conversion.

select
    lead_key,
    lead_id,
    'salesforce' as source_system,
    connection,
    lead_name as name,
    email,
    company_name,
    connection || ':' || company_id as source_company_key,
    connection || ':' || contact_id as source_contact_key,
    case when is_converted then connection || ':' || deal_id end as source_deal_key,
    owner_id,
    lead_status as lead_stage,
    source_channel,
    case
        when not is_converted and lower(lead_status) in (
            'unqualified', 'disqualified', 'closed - not converted'
        ) then lead_status
    end as disqualification_reason,
    is_converted,
    coalesce(
        not is_converted and lower(lead_status) in (
            'unqualified', 'disqualified', 'closed - not converted'
        ),
        false
    ) as is_disqualified,
    created_at,
    -- The vendor gives a day; the edit that converted it is of that day.
    case
        when is_converted then coalesce({{ start_of_day('converted_date') }}, updated_at)
    end as converted_at,
    updated_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_salesforce__leads') }}
