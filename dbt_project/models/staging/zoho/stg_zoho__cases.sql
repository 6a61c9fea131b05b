-- Grain: one row per landed version of a case.

{% set structure = {
    'Case_Number': 'VARCHAR',
    'Status': 'VARCHAR',
    'Priority': 'VARCHAR',
    'Account_Name': {'id': 'VARCHAR'},
    'Related_To': {'id': 'VARCHAR'},
    'Deal_Name': {'id': 'VARCHAR'},
    'Created_Time': 'TIMESTAMPTZ',
    'Modified_Time': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'cases') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as ticket_key,
        landed.record_id as ticket_id,
        landed.connection,
        nullif(trim(landed.record.Case_Number), '') as ticket_number,
        lower(nullif(trim(landed.record.Status), '')) as vendor_status,
        lower(nullif(trim(landed.record.Priority), '')) as vendor_severity,
        landed.record.Account_Name.id as company_id,
        landed.record.Related_To.id as contact_id,
        landed.record.Deal_Name.id as deal_id,
        landed.record.Created_Time as created_at,
        landed.record.Modified_Time as updated_at,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
