-- Grain: one row per landed version of a calendar entry.

{% set structure = {
    'name': 'VARCHAR',
    'opportunity_id': 'VARCHAR',
    'res_model': 'VARCHAR',
    'res_id': 'VARCHAR',
    'user_id': 'VARCHAR',
    'start': 'TIMESTAMPTZ',
    'stop': 'TIMESTAMPTZ',
    'active': 'BOOLEAN',
    'create_date': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'events') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as event_key,
        landed.record_id as event_id,
        landed.connection,
        {{ odoo_text('landed.record.name') }} as subject,
        coalesce({{ odoo_id('landed.record.opportunity_id') }}, case when landed.record.res_model = 'crm.lead' then {{ odoo_id('landed.record.res_id') }} end) as lead_id,
        {{ odoo_id('landed.record.user_id') }} as owner_id,
        coalesce(landed.record.active, true) as is_active,
        landed.record.start as starts_at,
        landed.record.stop as ends_at,
        landed.record.create_date as created_at,
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
