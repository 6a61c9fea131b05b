-- Grain: one row per landed version of an opportunity.

{% set structure = {
    'potentialname': 'VARCHAR',
    'opportunity_type': 'VARCHAR',
    'pipeline': 'VARCHAR',
    'sales_stage': 'VARCHAR',
    'assigned_user_id': 'VARCHAR',
    'currency_id': 'VARCHAR',
    'leadsource': 'VARCHAR',
    'related_to': 'VARCHAR',
    'contact_id': 'VARCHAR',
    'isconvertedfromlead': 'VARCHAR',
    'amount': 'DECIMAL(24,4)',
    'probability': 'DECIMAL(24,6)',
    'closingdate': 'DATE',
    'createdtime': 'TIMESTAMPTZ',
    'modifiedtime': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'deals') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as deal_key,
        landed.record_id as deal_id,
        landed.connection,
        nullif(trim(landed.record.potentialname), '') as deal_name,
        nullif(trim(landed.record.opportunity_type), '') as deal_type,
        nullif(trim(landed.record.pipeline), '') as pipeline_id,
        nullif(trim(landed.record.sales_stage), '') as stage_id,
        nullif(trim(landed.record.assigned_user_id), '') as owner_id,
        nullif(trim(landed.record.currency_id), '') as currency_id,
        nullif(trim(landed.record.leadsource), '') as source_channel,
        nullif(trim(landed.record.related_to), '') as company_id,
        nullif(trim(landed.record.contact_id), '') as contact_id,
        nullif(trim(landed.record.isconvertedfromlead), '') as converted_mark,
        cast(landed.record.amount as {{ money_type() }}) as deal_amount,
        landed.record.probability as probability_percent,
        landed.record.closingdate as expected_close_date,
        landed.payload is not null as has_content,
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
