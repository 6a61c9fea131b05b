-- Grain: one row per landed version of a ticket.

{% set structure = {
    'ticket_no': 'VARCHAR',
    'ticketstatus': 'VARCHAR',
    'ticketseverities': 'VARCHAR',
    'ticketpriorities': 'VARCHAR',
    'parent_id': 'VARCHAR',
    'contact_id': 'VARCHAR',
    'createdtime': 'TIMESTAMPTZ',
    'modifiedtime': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'tickets') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as ticket_key,
        landed.record_id as ticket_id,
        landed.connection,
        nullif(trim(landed.record.ticket_no), '') as ticket_number,
        lower(nullif(trim(landed.record.ticketstatus), '')) as vendor_status,
        lower(nullif(trim(landed.record.ticketseverities), '')) as vendor_severity,
        lower(nullif(trim(landed.record.ticketpriorities), '')) as vendor_priority,
        nullif(trim(landed.record.parent_id), '') as company_id,
        nullif(trim(landed.record.contact_id), '') as contact_id,
        -- The text bears no zone; the connector knows it, and has read modifiedtime by it.
        landed.record.createdtime + {{ vtiger_offset() }} as created_at,
        coalesce(landed.source_updated_at, landed.record.modifiedtime) as updated_at,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
