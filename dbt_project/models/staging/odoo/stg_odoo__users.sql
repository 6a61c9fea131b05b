-- Grain: one row per landed version of a user.

{% set structure = {
    'name': 'VARCHAR',
    'login': 'VARCHAR',
    'email': 'VARCHAR',
    'active': 'BOOLEAN',
    'partner_id': 'VARCHAR',
    'sale_team_id': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'users') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as user_key,
        landed.record_id as user_id,
        landed.connection,
        {{ odoo_text('landed.record.name') }} as user_name,
        {{ odoo_text('landed.record.login') }} as login,
        {{ odoo_text('landed.record.email') }} as email,
        landed.record.active as is_active,
        {{ odoo_id('landed.record.partner_id') }} as partner_id,
        {{ odoo_id('landed.record.sale_team_id') }} as team_id,
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
