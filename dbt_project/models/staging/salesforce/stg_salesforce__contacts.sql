-- Grain: one row per landed version of a contact.

{% set structure = {
    'Name': 'VARCHAR',
    'FirstName': 'VARCHAR',
    'LastName': 'VARCHAR',
    'Email': 'VARCHAR',
    'Title': 'VARCHAR',
    'AccountId': 'VARCHAR',
    'OwnerId': 'VARCHAR',
    'CreatedDate': 'VARCHAR',
    'SystemModstamp': 'VARCHAR',
    'survivor_id': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'contacts') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as contact_key,
        landed.record_id as contact_id,
        landed.connection,
        nullif(trim(coalesce(landed.record.Name, concat_ws(' ', landed.record.FirstName, landed.record.LastName))), '') as contact_name,
        lower(nullif(trim(landed.record.Email), '')) as email,
        nullif(trim(landed.record.Title), '') as job_title,
        landed.record.AccountId as company_id,
        landed.record.OwnerId as owner_id,
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
