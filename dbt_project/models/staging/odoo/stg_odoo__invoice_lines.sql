-- Grain: one row per landed version of a journal item: of a customer document, or a receivable one that settles it.

{% set structure = {
    'move_id': 'VARCHAR',
    'journal_id': 'VARCHAR',
    'display_type': 'VARCHAR',
    'exclude_from_invoice_tab': 'BOOLEAN',
    'account_internal_type': 'VARCHAR',
    'product_id': 'VARCHAR',
    'name': 'VARCHAR',
    'quantity': 'DECIMAL(24,6)',
    'price_unit': 'DECIMAL(38,12)',
    'discount': 'DECIMAL(24,6)',
    'price_subtotal': 'DECIMAL(24,4)',
    'price_total': 'DECIMAL(24,4)',
    'amount_currency': 'DECIMAL(24,4)',
    'currency_id': 'VARCHAR',
    'date': 'DATE',
    'deferred_start_date': 'DATE',
    'deferred_end_date': 'DATE',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'invoice_lines') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as line_key,
        landed.record_id as line_id,
        landed.connection,
        {{ odoo_id('landed.record.move_id') }} as move_id,
        {{ odoo_id('landed.record.journal_id') }} as journal_id,
        {{ odoo_text('landed.record.display_type') }} as display_type,
        coalesce(landed.record.exclude_from_invoice_tab, false) as is_outside_of_invoice,
        {{ odoo_id('landed.record.product_id') }} as product_id,
        {{ odoo_text('landed.record.name') }} as line_text,
        landed.record.quantity as quantity,
        landed.record.price_unit as unit_price,
        landed.record.discount as discount_percent,
        cast(landed.record.price_subtotal as {{ money_type() }}) as net_amount,
        cast(landed.record.price_total as {{ money_type() }}) as gross_amount,
        cast(landed.record.amount_currency as {{ money_type() }}) as booked_amount,
        {{ odoo_id('landed.record.currency_id') }} as currency_id,
        landed.record.deferred_start_date as service_start,
        landed.record.deferred_end_date as service_end,
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
