-- Grain: one row per landed version of a campaign.

{% set structure = {
    'name': 'VARCHAR',
    'title': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('odoo', 'campaigns') }}
),

final as (
    select
        landed.record_id as campaign_id,
        landed.connection,
        -- Since 15 people see the title, and the name is made of it.
        coalesce({{ odoo_text('landed.record.title') }}, {{ odoo_text('landed.record.name') }})
            as campaign_name,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position
    from landed
)

select * from final
