-- Grain: one row per landed version of a customer payment.

{% set structure = {
    'name': 'VARCHAR',
    'move_id': 'VARCHAR',
    'state': 'VARCHAR',
    'payment_type': 'VARCHAR',
    'partner_id': 'VARCHAR',
    'amount': 'DECIMAL(24,4)',
    'currency_id': 'VARCHAR',
    'date': 'DATE',
    'payment_method_code': 'VARCHAR',
    'create_date': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'payments') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as payment_key,
        landed.record_id as payment_id,
        landed.connection,
        {{ odoo_id('landed.record.move_id') }} as move_id,
        {{ odoo_text('landed.record.state') }} as vendor_status,
        {{ odoo_text('landed.record.payment_type') }} as payment_type,
        {{ odoo_id('landed.record.partner_id') }} as partner_id,
        {{ odoo_id('landed.record.currency_id') }} as currency_id,
        {{ odoo_text('landed.record.payment_method_code') }} as method,
        cast(landed.record.amount as {{ money_type() }}) as paid_amount,
        coalesce(landed.record.date, cast(landed.record.create_date as date)) as paid_date,
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
