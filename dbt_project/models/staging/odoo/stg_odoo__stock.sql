-- Grain: one row per landed version of the stock of a product in a place.

{% set structure = {
    'product_id': 'VARCHAR',
    'location_id': 'VARCHAR',
    'quantity': 'DECIMAL(24,6)',
    'reserved_quantity': 'DECIMAL(24,6)',
    'write_date': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'stock') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as quant_key,
        landed.record_id as quant_id,
        landed.connection,
        {{ odoo_id('landed.record.product_id') }} as product_id,
        {{ odoo_id('landed.record.location_id') }} as location_id,
        cast(landed.record.quantity as decimal(18, 6)) as quantity,
        cast(landed.record.reserved_quantity as decimal(18, 6)) as reserved_quantity,
        landed.record.write_date as updated_at,
        landed.payload is not null as has_content,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
