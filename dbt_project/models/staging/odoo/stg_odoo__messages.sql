-- Grain: one row per landed version of a message, without its text.

{% set structure = {
    'date': 'TIMESTAMPTZ',
    'author_id': 'VARCHAR',
    'model': 'VARCHAR',
    'res_id': 'VARCHAR',
    'message_type': 'VARCHAR',
    'mail_activity_type_id': 'VARCHAR',
    'message_id': 'VARCHAR',
    'email_from': 'VARCHAR',
    'subject': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'messages') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as message_key,
        landed.record_id as message_id,
        landed.connection,
        landed.record.date as happened_at,
        {{ odoo_id('landed.record.author_id') }} as author_id,
        {{ odoo_text('landed.record.model') }} as model_name,
        {{ odoo_id('landed.record.res_id') }} as res_id,
        {{ odoo_text('landed.record.message_type') }} as message_type,
        {{ odoo_id('landed.record.mail_activity_type_id') }} as activity_type_id,
        trim({{ odoo_text('landed.record.message_id') }}, '<> ') as header_id,
        {{ odoo_text('landed.record.email_from') }} as email_from,
        {{ odoo_text('landed.record.subject') }} as subject,
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
