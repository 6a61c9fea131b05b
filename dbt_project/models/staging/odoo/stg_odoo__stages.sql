-- Grain: one row per landed version of a stage.

{% set structure = {
    'name': 'VARCHAR',
    'sequence': 'BIGINT',
    'is_won': 'BOOLEAN',
    'team_id': 'VARCHAR',
    'team_ids': ['VARCHAR'],
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'stages') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as stage_key,
        landed.record_id as stage_id,
        landed.connection,
        {{ odoo_text('landed.record.name') }} as stage_name,
        landed.record.sequence as display_order,
        landed.record.is_won as is_won,
        -- One team up to Odoo 18, a list of them since; none is every team's.
        case
            when {{ odoo_id('landed.record.team_id') }} is not null
                then [{{ odoo_id('landed.record.team_id') }}]
            else coalesce(landed.record.team_ids, [])
        end as team_ids,
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
