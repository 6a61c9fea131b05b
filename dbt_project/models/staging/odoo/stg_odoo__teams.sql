-- Grain: one row per landed version of a sales team.

{% set structure = {
    'name': 'VARCHAR',
    'sequence': 'BIGINT',
    'active': 'BOOLEAN',
    'company_id': 'VARCHAR',
    'invoiced_target': 'DECIMAL(24,4)',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'teams') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as team_key,
        landed.record_id as team_id,
        landed.connection,
        {{ odoo_text('landed.record.name') }} as team_name,
        landed.record.sequence as display_order,
        landed.record.active as is_active,
        {{ odoo_id('landed.record.company_id') }} as own_company_id,
        cast(landed.record.invoiced_target as {{ money_type() }}) as monthly_target_amt,
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
