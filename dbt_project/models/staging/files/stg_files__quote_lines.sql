-- Grain: one row per landed version of a line of a quote of a file.

{% set structure = {
    'quote_id': 'VARCHAR',
    'line_id': 'VARCHAR',
    'product_id': 'VARCHAR',
    'description': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'quantity': 'DECIMAL(18,6)',
    'unit_price': 'DECIMAL(38,12)',
    'net_amount': 'DECIMAL(24,4)',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('files', 'quote_lines') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as quote_line_key,
        landed.connection,
        nullif(trim(landed.record.quote_id), '') as quote_id,
        nullif(trim(landed.record.line_id), '') as line_id,
        nullif(trim(landed.record.product_id), '') as product_id,
        nullif(trim(landed.record.description), '') as description,
        upper(nullif(trim(landed.record.currency_code), '')) as currency_code,
        landed.record.quantity as quantity,
        landed.record.unit_price as unit_price_amount,
        cast(landed.record.net_amount as {{ money_type() }}) as net_amount,
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
