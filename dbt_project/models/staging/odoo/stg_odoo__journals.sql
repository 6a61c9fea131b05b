-- Grain: one row per landed version of a journal.

{% set structure = {
    'name': 'VARCHAR',
    'type': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'journals') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as journal_key,
        landed.record_id as journal_id,
        landed.connection,
        {{ odoo_text('landed.record.name') }} as journal_name,
        {{ odoo_text('landed.record.type') }} as journal_type,
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
