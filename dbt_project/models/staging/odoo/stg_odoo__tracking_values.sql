-- Grain: one row per landed version of a change of a tracked field.

{% set structure = {
    'field_id': 'VARCHAR',
    'field': 'VARCHAR',
    'old_value_integer': 'BIGINT',
    'new_value_integer': 'BIGINT',
    'mail_message_id': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'tracking_values') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as tracking_key,
        landed.record_id as tracking_id,
        landed.connection,
        {{ odoo_id('landed.record.field_id') }} as field_ref,
        {{ odoo_id('landed.record.field') }} as field_ref_before_17,
        landed.record.old_value_integer as old_value_integer,
        landed.record.new_value_integer as new_value_integer,
        {{ odoo_id('landed.record.mail_message_id') }} as message_id,
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
