-- Grain: one row per landed version of a customer invoice, credit note or receipt.

{% set structure = {
    'name': 'VARCHAR',
    'move_type': 'VARCHAR',
    'state': 'VARCHAR',
    'payment_state': 'VARCHAR',
    'partner_id': 'VARCHAR',
    'commercial_partner_id': 'VARCHAR',
    'currency_id': 'VARCHAR',
    'company_id': 'VARCHAR',
    'company_currency_id': 'VARCHAR',
    'reversed_entry_id': 'VARCHAR',
    'invoice_origin': 'VARCHAR',
    'ref': 'VARCHAR',
    'payment_reference': 'VARCHAR',
    'invoice_date': 'DATE',
    'date': 'DATE',
    'invoice_date_due': 'DATE',
    'amount_untaxed': 'DECIMAL(24,4)',
    'amount_tax': 'DECIMAL(24,4)',
    'amount_total': 'DECIMAL(24,4)',
    'amount_residual': 'DECIMAL(24,4)',
    'amount_total_signed': 'DECIMAL(24,4)',
    'create_date': 'TIMESTAMPTZ',
    'write_date': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'invoices') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as move_key,
        landed.record_id as move_id,
        landed.connection,
        {{ odoo_text('landed.record.name') }} as move_number,
        {{ odoo_text('landed.record.move_type') }} as move_type,
        {{ odoo_text('landed.record.state') }} as vendor_status,
        {{ odoo_text('landed.record.payment_state') }} as payment_state,
        {{ odoo_id('landed.record.partner_id') }} as partner_id,
        {{ odoo_id('landed.record.commercial_partner_id') }} as commercial_partner_id,
        {{ odoo_id('landed.record.currency_id') }} as currency_id,
        {{ odoo_id('landed.record.company_id') }} as own_company_id,
        {{ odoo_id('landed.record.company_currency_id') }} as company_currency_id,
        {{ odoo_id('landed.record.reversed_entry_id') }} as reversed_move_id,
        {{ odoo_text('landed.record.invoice_origin') }} as origin,
        {{ odoo_text('landed.record.ref') }} as customer_reference,
        coalesce(landed.record.invoice_date, landed.record.date) as issue_date,
        landed.record.invoice_date_due as due_date,
        cast(landed.record.amount_untaxed as {{ money_type() }}) as net_amount,
        cast(landed.record.amount_tax as {{ money_type() }}) as tax_amount,
        cast(landed.record.amount_total as {{ money_type() }}) as gross_amount,
        cast(landed.record.amount_residual as {{ money_type() }}) as residual_amount,
        cast(landed.record.amount_total_signed as {{ money_type() }}) as company_gross_amount,
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
