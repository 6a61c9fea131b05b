-- Grain: one row per landed version of a deal of a file.
--
-- An export without a pipeline column has one pipeline, named default.

{% set structure = {
    'deal_id': 'VARCHAR',
    'name': 'VARCHAR',
    'pipeline_id': 'VARCHAR',
    'stage_id': 'VARCHAR',
    'owner_id': 'VARCHAR',
    'owner_email': 'VARCHAR',
    'status': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'amount_basis': 'VARCHAR',
    'forecast_category': 'VARCHAR',
    'loss_reason': 'VARCHAR',
    'source_channel': 'VARCHAR',
    'measure': 'VARCHAR',
    'lead_id': 'VARCHAR',
    'company_id': 'VARCHAR',
    'company_name': 'VARCHAR',
    'contact_id': 'VARCHAR',
    'contact_email': 'VARCHAR',
    'po_number': 'VARCHAR',
    'quote_id': 'VARCHAR',
    'invoice_id': 'VARCHAR',
    'subscription_id': 'VARCHAR',
    'merged_into_id': 'VARCHAR',
    'amount': 'DECIMAL(24,4)',
    'probability': 'DECIMAL(24,6)',
    'term_months': 'BIGINT',
    'is_archived': 'BOOLEAN',
    'expected_close_date': 'DATE',
    'closed_date': 'DATE',
    'next_activity_date': 'DATE',
    'service_start_date': 'DATE',
    'service_end_date': 'DATE',
    'created_at': 'TIMESTAMPTZ',
    'updated_at': 'TIMESTAMPTZ',
    'won_at': 'TIMESTAMPTZ',
    'lost_at': 'TIMESTAMPTZ',
    'is_deleted': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'deals') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as deal_key,
        landed.connection,
        nullif(trim(landed.record.deal_id), '') as deal_id,
        nullif(trim(landed.record.name), '') as deal_name,
        coalesce(nullif(trim(landed.record.pipeline_id), ''), 'default') as pipeline_id,
        nullif(trim(landed.record.stage_id), '') as stage_id,
        nullif(trim(landed.record.owner_id), '') as owner_id,
        lower(nullif(trim(landed.record.owner_email), '')) as owner_email,
        lower(nullif(trim(landed.record.status), '')) as vendor_status,
        upper(nullif(trim(landed.record.currency_code), '')) as currency_code,
        lower(nullif(trim(landed.record.amount_basis), '')) as amount_basis,
        lower(nullif(trim(landed.record.forecast_category), '')) as forecast_category,
        nullif(trim(landed.record.loss_reason), '') as loss_reason,
        nullif(trim(landed.record.source_channel), '') as source_channel,
        nullif(trim(landed.record.measure), '') as measure,
        nullif(trim(landed.record.lead_id), '') as lead_id,
        nullif(trim(landed.record.company_id), '') as company_id,
        nullif(trim(landed.record.company_name), '') as company_name,
        nullif(trim(landed.record.contact_id), '') as contact_id,
        lower(nullif(trim(landed.record.contact_email), '')) as contact_email,
        nullif(trim(landed.record.po_number), '') as po_number,
        nullif(trim(landed.record.quote_id), '') as quote_id,
        nullif(trim(landed.record.invoice_id), '') as invoice_id,
        nullif(trim(landed.record.subscription_id), '') as subscription_id,
        nullif(trim(landed.record.merged_into_id), '') as merged_into_id,
        cast(landed.record.amount as {{ money_type() }}) as deal_amount,
        cast(landed.record.probability as decimal(9, 6)) as probability,
        landed.record.term_months as term_months,
        landed.record.is_archived as is_archived,
        landed.record.expected_close_date as expected_close_date,
        landed.record.closed_date as closed_date,
        landed.record.next_activity_date as next_activity_date,
        landed.record.service_start_date as service_start_date,
        landed.record.service_end_date as service_end_date,
        landed.record.created_at as created_at,
        landed.record.updated_at as updated_at,
        landed.record.won_at as won_at,
        landed.record.lost_at as lost_at,
        landed.change,
        landed.change in ('deleted', 'archived')
        or coalesce(landed.record.is_deleted, false) as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
