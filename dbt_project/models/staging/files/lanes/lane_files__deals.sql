-- Grain: one row per landed version of a deal of a file, in the canonical columns.

select
    deal_key,
    deal_id,
    'files' as source_system,
    connection,
    deal_name as name,
    pipeline_id,
    stage_id,
    coalesce(owner_id, owner_email) as owner_id,
    currency_code,
    forecast_category,
    loss_reason,
    source_channel,
    measure,
    case when amount_basis in ('net', 'gross') then amount_basis else 'unknown' end
        as amount_basis,
    connection || ':' || lead_id as source_lead_key,
    connection || ':' || company_id as source_company_key,
    connection || ':' || contact_id as source_contact_key,
    case
        when merged_into_id is not null then concat(connection, ':', merged_into_id)
    end as merged_into_key,
    deal_amount as amount_amt,
    probability,
    term_months,
    change not in ('deleted', 'archived', 'access_lost') as has_content,
    false as has_stage_history,
    false as has_pipeline_history,
    false as has_amount_history,
    false as has_close_date_history,
    false as has_owner_history,
    false as has_currency_history,
    coalesce(won_at, lost_at) is not null
    or closed_date is not null
    or coalesce(vendor_status in ('won', 'lost'), false) as is_closed,
    coalesce(is_archived, false) as is_archived,
    is_deleted,
    expected_close_date,
    next_activity_date,
    service_start_date as service_start,
    service_end_date as service_end,
    created_at,
    updated_at,
    coalesce(won_at, lost_at, {{ start_of_day('closed_date') }}) as closed_at,
    source_updated_at,
    observed_at,
    change,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_files__deals') }}
