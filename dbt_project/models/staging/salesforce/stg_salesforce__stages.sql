-- Grain: one row per landed version of a stage; opportunities name it by its label.

{% set structure = {
    'MasterLabel': 'VARCHAR',
    'ApiName': 'VARCHAR',
    'SortOrder': 'BIGINT',
    'IsActive': 'BOOLEAN',
    'IsClosed': 'BOOLEAN',
    'IsWon': 'BOOLEAN',
    'DefaultProbability': 'DECIMAL(24,6)',
    'ForecastCategoryName': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('salesforce', 'stages') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as stage_key,
        landed.record_id as stage_id,
        landed.connection,
        coalesce(landed.record.MasterLabel, landed.record.ApiName) as stage_name,
        landed.record.SortOrder as display_order,
        landed.record.DefaultProbability as probability_percent,
        landed.record.ForecastCategoryName as forecast_category_name,
        coalesce(landed.record.IsClosed, false) as is_closed,
        coalesce(landed.record.IsWon, false) as is_won,
        coalesce(landed.record.IsActive, true) as is_active,
        landed.payload is not null and landed.change <> 'merged' as has_content,
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
