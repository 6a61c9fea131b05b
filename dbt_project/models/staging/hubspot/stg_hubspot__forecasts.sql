-- Grain: one row per landed version of a forecast that was handed in.

{% set structure = {
    'id': 'VARCHAR',
    'properties': {
        'hs_amount': 'DECIMAL(24,4)',
        'hs_created_by_user_id': 'VARCHAR',
        'hubspot_owner_id': 'VARCHAR',
        'hs_team_id': 'VARCHAR',
        'hs_deal_pipeline_id': 'VARCHAR',
        'hs_milestone': 'VARCHAR',
        'hs_forecast_start_date': 'VARCHAR',
        'hs_lastmodifieddate': 'TIMESTAMPTZ',
    },
    'archived': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('hubspot', 'forecasts') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as forecast_key,
        landed.record_id as forecast_id,
        landed.connection,
        nullif(landed.record.properties.hs_created_by_user_id, '') as created_by_user_id,
        nullif(landed.record.properties.hubspot_owner_id, '') as owner_id,
        nullif(landed.record.properties.hs_team_id, '') as team_id,
        nullif(landed.record.properties.hs_deal_pipeline_id, '') as pipeline_id,
        lower(landed.record.properties.hs_milestone) as milestone,
        landed.record.properties.hs_amount as amount,
        -- Milliseconds of midnight UTC; lists of properties show dates as text, too.
        coalesce(
            cast(make_timestamp(try_cast(
                landed.record.properties.hs_forecast_start_date as bigint
            ) * 1000) as date),
            try_cast(left(landed.record.properties.hs_forecast_start_date, 10) as date)
        ) as starts_on,
        landed.record.properties.hs_lastmodifieddate as modified_at,
        landed.payload is not null and landed.change <> 'merged' as has_content,
        landed.change,
        landed.change in ('deleted', 'archived')
        or coalesce(landed.record.archived, false) as is_deleted,
        landed.source_updated_at,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
