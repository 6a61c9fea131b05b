-- Grain: one row per landed version of a lead; a converted one keeps its last content.

{% set structure = {
    'firstname': 'VARCHAR',
    'lastname': 'VARCHAR',
    'company': 'VARCHAR',
    'email': 'VARCHAR',
    'leadsource': 'VARCHAR',
    'leadstatus': 'VARCHAR',
    'assigned_user_id': 'VARCHAR',
    'createdtime': 'TIMESTAMPTZ',
    'modifiedtime': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'leads') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as lead_key,
        landed.record_id as lead_id,
        landed.connection,
        nullif(trim(landed.record.firstname), '') as first_name,
        nullif(trim(landed.record.lastname), '') as last_name,
        nullif(trim(landed.record.company), '') as company_name,
        lower(nullif(trim(landed.record.email), '')) as email,
        nullif(trim(landed.record.leadsource), '') as source_channel,
        nullif(trim(landed.record.leadstatus), '') as lead_status,
        nullif(trim(landed.record.assigned_user_id), '') as owner_id,
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
