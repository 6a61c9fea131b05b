-- Grain: one row per landed version of a line of a quote.

{% set structure = {
    'QuoteId': 'VARCHAR',
    'Product2Id': 'VARCHAR',
    'Quantity': 'DECIMAL(24,6)',
    'UnitPrice': 'DECIMAL(38,12)',
    'TotalPrice': 'DECIMAL(24,4)',
    'CurrencyIsoCode': 'VARCHAR',
    'ServiceDate': 'DATE',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'quote_line_items') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as line_key,
        landed.record_id as line_id,
        landed.connection,
        landed.record.QuoteId as quote_id,
        landed.record.Product2Id as product_id,
        upper(landed.record.CurrencyIsoCode) as currency_code,
        landed.record.Quantity as quantity,
        landed.record.UnitPrice as unit_price,
        cast(landed.record.TotalPrice as {{ money_type() }}) as net_amount,
        landed.record.ServiceDate as service_start,
        landed.payload is not null and landed.change <> 'merged' as has_content,
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
