-- Grain: one row per landed version of a contact.

{% set structure = {
    'First_Name': 'VARCHAR',
    'Last_Name': 'VARCHAR',
    'Full_Name': 'VARCHAR',
    'Email': 'VARCHAR',
    'Secondary_Email': 'VARCHAR',
    'Title': 'VARCHAR',
    'Account_Name': {'id': 'VARCHAR'},
    'Owner': {'id': 'VARCHAR'},
    'Created_Time': 'TIMESTAMPTZ',
    'Modified_Time': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('zoho', 'contacts') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as contact_key,
        landed.record_id as contact_id,
        landed.connection,
        coalesce(
            nullif(trim(concat_ws(' ', landed.record.First_Name, landed.record.Last_Name)), ''),
            nullif(trim(landed.record.Full_Name), '')
        )
            as contact_name,
        lower(nullif(trim(landed.record.Email), '')) as email,
        lower(nullif(trim(landed.record.Secondary_Email), '')) as other_email,
        nullif(trim(landed.record.Title), '') as job_title,
        landed.record.Account_Name.id as company_id,
        landed.record.Owner.id as owner_id,
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
