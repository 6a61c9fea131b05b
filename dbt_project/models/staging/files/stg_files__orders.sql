-- Grain: one row per landed version of an order of a file.

{% set structure = {
    'order_id': 'VARCHAR',
    'number': 'VARCHAR',
    'status': 'VARCHAR',
    'deal_id': 'VARCHAR',
    'deal_key': 'VARCHAR',
    'quote_id': 'VARCHAR',
    'company_id': 'VARCHAR',
    'company_key': 'VARCHAR',
    'owner_email': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'net_amount': 'DECIMAL(24,4)',
    'tax_amount': 'DECIMAL(24,4)',
    'gross_amount': 'DECIMAL(24,4)',
    'promised_date': 'DATE',
    'ordered_at': 'TIMESTAMPTZ',
    'cancelled_at': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'orders') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as order_key,
        landed.connection,
        nullif(trim(landed.record.order_id), '') as order_id,
        nullif(trim(landed.record.number), '') as order_number,
        lower(nullif(trim(landed.record.status), '')) as vendor_status,
        nullif(trim(landed.record.deal_id), '') as deal_id,
        nullif(trim(landed.record.deal_key), '') as deal_key,
        nullif(trim(landed.record.quote_id), '') as quote_id,
        nullif(trim(landed.record.company_id), '') as company_id,
        nullif(trim(landed.record.company_key), '') as company_key,
        lower(nullif(trim(landed.record.owner_email), '')) as owner_email,
        upper(nullif(trim(landed.record.currency_code), '')) as currency_code,
        cast(landed.record.net_amount as {{ money_type() }}) as net_amt,
        cast(landed.record.tax_amount as {{ money_type() }}) as tax_amt,
        cast(landed.record.gross_amount as {{ money_type() }}) as gross_amt,
        landed.record.promised_date as promised_date,
        landed.record.ordered_at as ordered_at,
        landed.record.cancelled_at as cancelled_at,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
