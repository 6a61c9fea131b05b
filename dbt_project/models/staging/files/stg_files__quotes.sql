-- Grain: one row per landed version of a quote of a file.

{% set structure = {
    'quote_id': 'VARCHAR',
    'number': 'VARCHAR',
    'deal_id': 'VARCHAR',
    'company_id': 'VARCHAR',
    'status': 'VARCHAR',
    'invoice_id': 'VARCHAR',
    'subscription_id': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'net_amount': 'DECIMAL(24,4)',
    'tax_amount': 'DECIMAL(24,4)',
    'gross_amount': 'DECIMAL(24,4)',
    'issue_date': 'DATE',
    'valid_until': 'DATE',
    'accepted_date': 'DATE',
    'created_at': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'quotes') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as quote_key,
        landed.connection,
        nullif(trim(landed.record.quote_id), '') as quote_id,
        nullif(trim(landed.record.number), '') as quote_number,
        nullif(trim(landed.record.deal_id), '') as deal_id,
        nullif(trim(landed.record.company_id), '') as company_id,
        lower(nullif(trim(landed.record.status), '')) as vendor_status,
        nullif(trim(landed.record.invoice_id), '') as invoice_id,
        nullif(trim(landed.record.subscription_id), '') as subscription_id,
        upper(nullif(trim(landed.record.currency_code), '')) as currency_code,
        cast(landed.record.net_amount as {{ money_type() }}) as net_amount,
        cast(landed.record.tax_amount as {{ money_type() }}) as tax_amount,
        cast(landed.record.gross_amount as {{ money_type() }}) as gross_amount,
        landed.record.issue_date as issue_date,
        landed.record.valid_until as valid_until,
        landed.record.accepted_date as accepted_date,
        landed.record.created_at as created_at,
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
