-- Grain: one row per landed version of a lead; converted ones keep their content.

{% set structure = {
    'First_Name': 'VARCHAR',
    'Last_Name': 'VARCHAR',
    'Company': 'VARCHAR',
    'Email': 'VARCHAR',
    'Lead_Status': 'VARCHAR',
    'Lead_Source': 'VARCHAR',
    'Owner': {'id': 'VARCHAR'},
    'Converted_Date_Time': 'TIMESTAMPTZ',
    'Converted_Account': {'id': 'VARCHAR'},
    'Converted_Contact': {'id': 'VARCHAR'},
    'Converted_Deal': {'id': 'VARCHAR'},
    'Created_Time': 'TIMESTAMPTZ',
    'Modified_Time': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'leads') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as lead_key,
        landed.record_id as lead_id,
        landed.connection,
        nullif(trim(concat_ws(' ', landed.record.First_Name, landed.record.Last_Name)), '')
            as lead_name,
        nullif(trim(landed.record.Company), '') as company_name,
        lower(nullif(trim(landed.record.Email), '')) as email,
        nullif(trim(landed.record.Lead_Status), '') as lead_status,
        nullif(trim(landed.record.Lead_Source), '') as source_channel,
        landed.record.Owner.id as owner_id,
        landed.record.Converted_Account.id as converted_company_id,
        landed.record.Converted_Contact.id as converted_contact_id,
        landed.record.Converted_Deal.id as converted_deal_id,
        landed.record.Converted_Date_Time as converted_at,
        landed.record.Created_Time as created_at,
        landed.record.Modified_Time as updated_at,
        landed.payload is not null as has_content,
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
