-- Grain: one row per landed version of an organization.

{% set structure = {
    'accountname': 'VARCHAR',
    'website': 'VARCHAR',
    'industry': 'VARCHAR',
    'bill_country': 'VARCHAR',
    'assigned_user_id': 'VARCHAR',
    'account_id': 'VARCHAR',
    'createdtime': 'TIMESTAMPTZ',
    'modifiedtime': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'companies') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as company_key,
        landed.record_id as company_id,
        landed.connection,
        nullif(trim(landed.record.accountname), '') as name,
        nullif(trim(landed.record.website), '') as website,
        nullif(trim(landed.record.industry), '') as industry,
        nullif(trim(landed.record.bill_country), '') as country,
        nullif(trim(landed.record.assigned_user_id), '') as owner_id,
        nullif(trim(landed.record.account_id), '') as parent_company_id,
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
