-- Grain: one row per landed version of a lead, on past its conversion.

{% set structure = {
    'FirstName': 'VARCHAR',
    'LastName': 'VARCHAR',
    'Company': 'VARCHAR',
    'Email': 'VARCHAR',
    'Status': 'VARCHAR',
    'LeadSource': 'VARCHAR',
    'OwnerId': 'VARCHAR',
    'IsConverted': 'BOOLEAN',
    'ConvertedDate': 'DATE',
    'ConvertedOpportunityId': 'VARCHAR',
    'ConvertedAccountId': 'VARCHAR',
    'ConvertedContactId': 'VARCHAR',
    'CreatedDate': 'VARCHAR',
    'SystemModstamp': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'leads') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as lead_key,
        landed.record_id as lead_id,
        landed.connection,
        nullif(trim(concat_ws(' ', landed.record.FirstName, landed.record.LastName)), '') as lead_name,
        nullif(trim(landed.record.Company), '') as company_name,
        lower(nullif(trim(landed.record.Email), '')) as email,
        landed.record.Status as lead_status,
        landed.record.LeadSource as source_channel,
        landed.record.OwnerId as owner_id,
        coalesce(landed.record.IsConverted, false) as is_converted,
        landed.record.ConvertedDate as converted_date,
        landed.record.ConvertedOpportunityId as deal_id,
        landed.record.ConvertedAccountId as company_id,
        landed.record.ConvertedContactId as contact_id,
        {{ salesforce_instant('landed.record.CreatedDate') }} as created_at,
        {{ salesforce_instant('landed.record.SystemModstamp') }} as updated_at,
        landed.payload is not null and landed.change <> 'merged' as has_content,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
