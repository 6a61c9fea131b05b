-- Grain: one row per landed version of a line of an order of a file.

{% set structure = {
    'order_id': 'VARCHAR',
    'line_id': 'VARCHAR',
    'product_id': 'VARCHAR',
    'product_key': 'VARCHAR',
    'description': 'VARCHAR',
    'sku': 'VARCHAR',
    'quantity': 'DECIMAL(18,6)',
    'unit_price': 'DECIMAL(38,12)',
    'net_amount': 'DECIMAL(24,4)',
    'is_deliverable': 'BOOLEAN',
    'promised_date': 'DATE',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'order_lines') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as order_line_key,
        landed.connection,
        nullif(trim(landed.record.order_id), '') as order_id,
        nullif(trim(landed.record.line_id), '') as line_id,
        nullif(trim(landed.record.product_id), '') as product_id,
        nullif(trim(landed.record.product_key), '') as product_key,
        nullif(trim(landed.record.description), '') as description,
        nullif(trim(landed.record.sku), '') as sku,
        landed.record.quantity as quantity,
        landed.record.unit_price as unit_price_amt,
        cast(landed.record.net_amount as {{ money_type() }}) as net_amt,
        landed.record.is_deliverable as is_deliverable,
        landed.record.promised_date as promised_date,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
