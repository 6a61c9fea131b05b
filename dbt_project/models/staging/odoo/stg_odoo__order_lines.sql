-- Grain: one row per landed version of a line; sections and notes have a display_type.

{% set structure = {
    'order_id': 'VARCHAR',
    'product_id': 'VARCHAR',
    'name': 'VARCHAR',
    'display_type': 'VARCHAR',
    'product_uom_qty': 'DECIMAL(24,6)',
    'price_unit': 'DECIMAL(38,12)',
    'discount': 'DECIMAL(24,6)',
    'price_subtotal': 'DECIMAL(24,4)',
    'price_tax': 'DECIMAL(24,4)',
    'price_total': 'DECIMAL(24,4)',
    'currency_id': 'VARCHAR',
    'qty_delivered': 'DECIMAL(24,6)',
    'qty_delivered_method': 'VARCHAR',
    'write_date': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'order_lines') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as line_key,
        landed.record_id as line_id,
        landed.connection,
        {{ odoo_id('landed.record.order_id') }} as order_id,
        {{ odoo_id('landed.record.product_id') }} as product_id,
        {{ odoo_text('landed.record.name') }} as line_name,
        {{ odoo_text('landed.record.display_type') }} as display_type,
        landed.record.product_uom_qty as quantity,
        landed.record.price_unit as unit_price,
        landed.record.discount as discount_percent,
        cast(landed.record.price_subtotal as {{ money_type() }}) as net_amount,
        cast(landed.record.price_tax as {{ money_type() }}) as tax_amount,
        cast(landed.record.price_total as {{ money_type() }}) as gross_amount,
        {{ odoo_id('landed.record.currency_id') }} as currency_id,
        cast(landed.record.qty_delivered as decimal(18, 6)) as delivered_quantity,
        {{ odoo_text('landed.record.qty_delivered_method') }} as delivered_method,
        landed.record.write_date as updated_at,
        landed.payload is not null as has_content,
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
