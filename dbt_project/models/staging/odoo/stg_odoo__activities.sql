-- Grain: one row per landed version of an activity to be done; done ones are deleted, from 17 on archived where they are kept.

{% set structure = {
    'res_model': 'VARCHAR',
    'res_id': 'VARCHAR',
    'activity_type_id': 'VARCHAR',
    'summary': 'VARCHAR',
    'user_id': 'VARCHAR',
    'date_deadline': 'DATE',
    'date_done': 'DATE',
    'active': 'BOOLEAN',
    'create_date': 'TIMESTAMPTZ',
    'write_date': 'TIMESTAMPTZ',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'activities') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as activity_key,
        landed.record_id as activity_id,
        landed.connection,
        {{ odoo_text('landed.record.res_model') }} as model_name,
        {{ odoo_id('landed.record.res_id') }} as res_id,
        {{ odoo_id('landed.record.activity_type_id') }} as activity_type_id,
        {{ odoo_text('landed.record.summary') }} as subject,
        {{ odoo_id('landed.record.user_id') }} as owner_id,
        landed.record.date_deadline as due_date,
        landed.record.date_done as done_date,
        coalesce(landed.record.active, true) as is_active,
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
