-- Grain: one row per landed version of a module's description.

{% set structure = {
    'name': 'VARCHAR',
    'idPrefix': 'VARCHAR',
    'fields': [{
        'name': 'VARCHAR',
        'label': 'VARCHAR',
        'type': {'name': 'VARCHAR', 'picklistValues': [{'label': 'VARCHAR', 'value': 'VARCHAR'}]},
    }],
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('vtiger', 'modules') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as module_key,
        landed.record_id as module_name,
        landed.connection,
        landed.record.idPrefix as id_prefix,
        list_filter(
            landed.record.fields, lambda one: one.name = 'sales_stage'
        )[1].type.picklistValues as stages,
        list_filter(
            landed.record.fields, lambda one: one.name = 'pipeline'
        )[1].type.picklistValues as pipelines,
        landed.change,
        landed.change in ('deleted', 'archived') as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
