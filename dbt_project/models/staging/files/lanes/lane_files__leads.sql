-- Grain: one row per landed version of a lead of a file.

select
    lead_key,
    coalesce(lead_id, split_part(raw_version_id, ':', 3)) as lead_id,
    'files' as source_system,
    connection,
    name,
    email,
    company_name,
    concat(connection, ':') || converted_company_id as source_company_key,
    concat(connection, ':') || converted_contact_id as source_contact_key,
    concat(connection, ':') || converted_deal_id as source_deal_key,
    coalesce(owner_id, owner_email) as owner_id,
    status as lead_stage,
    source_channel,
    campaign,
    converted_at is not null or converted_deal_id is not null
    or coalesce(status = 'converted', false) or change = 'converted'
        as is_converted,
    coalesce(status in ('disqualified', 'unqualified', 'lost', 'junk'), false) as is_disqualified,
    created_at,
    converted_at,
    updated_at,
    change,
    is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_files__leads') }}
