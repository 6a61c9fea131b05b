-- Grain: one row per landed version of a service ticket.

{% set structure = {
    'ticket_ref': 'VARCHAR',
    'partner_id': 'VARCHAR',
    'priority': 'VARCHAR',
    'close_date': 'TIMESTAMPTZ',
    'create_date': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'tickets') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as ticket_key,
        landed.record_id as ticket_id,
        landed.connection,
        {{ odoo_text('landed.record.ticket_ref') }} as ticket_number,
        {{ odoo_id('landed.record.partner_id') }} as partner_id,
        {{ odoo_text('landed.record.priority') }} as vendor_severity,
        landed.record.close_date as closed_at,
        landed.record.create_date as opened_at,
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
