-- Grain: one row per landed version of a quotation or sales order.

{% set structure = {
    'name': 'VARCHAR',
    'state': 'VARCHAR',
    'opportunity_id': 'VARCHAR',
    'partner_id': 'VARCHAR',
    'user_id': 'VARCHAR',
    'currency_id': 'VARCHAR',
    'amount_untaxed': 'DECIMAL(24,4)',
    'amount_tax': 'DECIMAL(24,4)',
    'amount_total': 'DECIMAL(24,4)',
    'date_order': 'TIMESTAMPTZ',
    'validity_date': 'DATE',
    'commitment_date': 'TIMESTAMPTZ',
    'create_date': 'TIMESTAMPTZ',
    'write_date': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'orders') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as order_key,
        landed.record_id as order_id,
        landed.connection,
        {{ odoo_text('landed.record.name') }} as order_number,
        {{ odoo_text('landed.record.state') }} as vendor_status,
        {{ odoo_id('landed.record.opportunity_id') }} as lead_id,
        {{ odoo_id('landed.record.partner_id') }} as partner_id,
        {{ odoo_id('landed.record.user_id') }} as owner_id,
        {{ odoo_id('landed.record.currency_id') }} as currency_id,
        cast(landed.record.amount_untaxed as {{ money_type() }}) as net_amount,
        cast(landed.record.amount_tax as {{ money_type() }}) as tax_amount,
        cast(landed.record.amount_total as {{ money_type() }}) as gross_amount,
        landed.record.date_order as ordered_at,
        landed.record.validity_date as valid_until,
        landed.record.commitment_date as promised_at,
        landed.record.create_date as created_at,
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
