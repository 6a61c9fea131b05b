-- Grain: one row per landed version of a contact.

{% set structure = {
    'firstname': 'VARCHAR',
    'lastname': 'VARCHAR',
    'email': 'VARCHAR',
    'secondaryemail': 'VARCHAR',
    'title': 'VARCHAR',
    'account_id': 'VARCHAR',
    'assigned_user_id': 'VARCHAR',
    'isconvertedfromlead': 'VARCHAR',
    'createdtime': 'TIMESTAMPTZ',
    'modifiedtime': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'contacts') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as contact_key,
        landed.record_id as contact_id,
        landed.connection,
        nullif(trim(landed.record.firstname), '') as first_name,
        nullif(trim(landed.record.lastname), '') as last_name,
        lower(nullif(trim(landed.record.email), '')) as email,
        lower(nullif(trim(landed.record.secondaryemail), '')) as secondary_email,
        nullif(trim(landed.record.title), '') as job_title,
        nullif(trim(landed.record.account_id), '') as company_id,
        nullif(trim(landed.record.assigned_user_id), '') as owner_id,
        nullif(trim(landed.record.isconvertedfromlead), '') as converted_mark,
        -- The text bears no zone; the connector knows it, and has read modifiedtime by it.
        landed.record.createdtime + {{ vtiger_offset() }} as created_at,
        coalesce(landed.source_updated_at, landed.record.modifiedtime) as updated_at,
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
