-- Grain: one row per landed version of an account.

{% set structure = {
    'Name': 'VARCHAR',
    'Website': 'VARCHAR',
    'Industry': 'VARCHAR',
    'BillingCountryCode': 'VARCHAR',
    'BillingCountry': 'VARCHAR',
    'OwnerId': 'VARCHAR',
    'ParentId': 'VARCHAR',
    'CreatedDate': 'VARCHAR',
    'SystemModstamp': 'VARCHAR',
    'survivor_id': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'companies') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as company_key,
        landed.record_id as company_id,
        landed.connection,
        nullif(trim(landed.record.Name), '') as company_name,
        nullif(trim(landed.record.Website), '') as website,
        landed.record.Industry as industry,
        coalesce(landed.record.BillingCountryCode, landed.record.BillingCountry) as country,
        landed.record.OwnerId as owner_id,
        landed.record.ParentId as parent_company_id,
        landed.record.survivor_id as survivor_id,
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
