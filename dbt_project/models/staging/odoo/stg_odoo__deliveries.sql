-- Grain: one row per landed version of a transfer of goods.

{% set structure = {
    'name': 'VARCHAR',
    'state': 'VARCHAR',
    'origin': 'VARCHAR',
    'sale_id': 'VARCHAR',
    'date_done': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'deliveries') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as transfer_key,
        landed.record_id as transfer_id,
        landed.connection,
        {{ odoo_text('landed.record.name') }} as transfer_number,
        {{ odoo_text('landed.record.state') }} as vendor_status,
        {{ odoo_text('landed.record.origin') }} as origin,
        {{ odoo_id('landed.record.sale_id') }} as order_id,
        landed.record.date_done as done_at,
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
