-- Grain: one row per landed version of an account, a company.

{% set structure = {
    'Account_Name': 'VARCHAR',
    'Website': 'VARCHAR',
    'Industry': 'VARCHAR',
    'Billing_Country': 'VARCHAR',
    'Owner': {'id': 'VARCHAR'},
    'Parent_Account': {'id': 'VARCHAR'},
    'Created_Time': 'TIMESTAMPTZ',
    'Modified_Time': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'accounts') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as company_key,
        landed.record_id as company_id,
        landed.connection,
        nullif(trim(landed.record.Account_Name), '') as company_name,
        nullif(trim(landed.record.Website), '') as website,
        nullif(trim(landed.record.Industry), '') as industry,
        nullif(trim(landed.record.Billing_Country), '') as country,
        landed.record.Owner.id as owner_id,
        landed.record.Parent_Account.id as parent_id,
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
