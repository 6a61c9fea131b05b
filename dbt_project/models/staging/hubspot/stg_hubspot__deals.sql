-- Grain: one row per landed version of a deal, its property histories as lists.
--
-- The payload is the heaviest of the warehouse, so each version is parsed once and kept:
-- a run parses only the versions that it has not met. Versions are told by their own name
-- and not by a watermark, because two syncs may commit in another order than they began.
-- What landing no longer holds (an erased person, a landing begun anew) goes first.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{% if is_incremental() %}delete from {{ this }} where raw_version_id not in ("
        ~ "select landed.raw_version_id from {{ source('hubspot', 'deals') }} as landed"
        ~ "){% endif %}"
    ],
) }}

{% set history = [{
    'value': 'VARCHAR',
    'timestamp': 'TIMESTAMPTZ',
    'sourceType': 'VARCHAR',
    'sourceId': 'VARCHAR',
    'updatedByUserId': 'VARCHAR',
}] %}
{% set structure = {
    'properties': {
        'dealname': 'VARCHAR',
        'dealtype': 'VARCHAR',
        'pipeline': 'VARCHAR',
        'dealstage': 'VARCHAR',
        'hubspot_owner_id': 'VARCHAR',
        'deal_currency_code': 'VARCHAR',
        'hs_manual_forecast_category': 'VARCHAR',
        'closed_lost_reason': 'VARCHAR',
        'hs_analytics_source': 'VARCHAR',
        'hs_merged_object_ids': 'VARCHAR',
        'hs_is_closed': 'BOOLEAN',
        'amount': 'DECIMAL(24,4)',
        'hs_deal_stage_probability': 'DECIMAL(24,6)',
        'closedate': 'TIMESTAMPTZ',
        'createdate': 'TIMESTAMPTZ',
        'hs_lastmodifieddate': 'TIMESTAMPTZ',
    },
    'propertiesWithHistory': {
        'dealstage': history,
        'pipeline': history,
        'amount': history,
        'closedate': history,
        'hubspot_owner_id': history,
        'deal_currency_code': history,
    },
    'survivor_id': 'VARCHAR',
    'createdAt': 'TIMESTAMPTZ',
    'archived': 'BOOLEAN',
    'archivedAt': 'TIMESTAMPTZ',
} %}

with landed as (
    select *
    from {{ source('hubspot', 'deals') }}
    {% if is_incremental() %}
    where raw_version_id not in (select known.raw_version_id from {{ this }} as known)
    {% endif %}
),

parsed as (
    select
        connection,
        record_id,
        change,
        payload is not null and change != 'merged' as has_content,
        source_updated_at,
        observed_at,
        sync_id,
        position,
        raw_version_id,
        {{ json_struct('payload', structure) }} as record
    from landed
),

final as (
    select
        concat(parsed.connection, ':', parsed.record_id) as deal_key,
        parsed.record_id as deal_id,
        parsed.connection,
        nullif(trim(parsed.record.properties.dealname), '') as deal_name,
        nullif(trim(parsed.record.properties.dealtype), '') as deal_type,
        nullif(trim(parsed.record.properties.pipeline), '') as pipeline_id,
        nullif(trim(parsed.record.properties.dealstage), '') as stage_id,
        nullif(trim(parsed.record.properties.hubspot_owner_id), '') as owner_id,
        upper(nullif(trim(parsed.record.properties.deal_currency_code), '')) as currency_code,
        lower(nullif(trim(parsed.record.properties.hs_manual_forecast_category), ''))
            as forecast_category,
        nullif(trim(parsed.record.properties.closed_lost_reason), '') as loss_reason,
        nullif(trim(parsed.record.properties.hs_analytics_source), '') as source_channel,
        nullif(trim(parsed.record.properties.hs_merged_object_ids), '') as merged_ids,
        nullif(trim(parsed.record.survivor_id), '') as survivor_id,
        cast(parsed.record.properties.amount as {{ money_type() }}) as deal_amount,
        cast(parsed.record.properties.hs_deal_stage_probability as decimal(9, 6)) as probability,
        parsed.has_content,
        coalesce(parsed.record.properties.hs_is_closed, false) as is_closed,
        -- An instant, though it means a day: the union asks the company zone for it, so that
        -- nothing kept here depends on the settings.
        parsed.record.properties.closedate as expected_close_at,
        coalesce(parsed.record.properties.createdate, parsed.record.createdAt) as created_at,
        parsed.record.properties.hs_lastmodifieddate as updated_at,
        parsed.record.archivedAt as archived_at,
        parsed.record.propertiesWithHistory.dealstage as stage_history,
        parsed.record.propertiesWithHistory.pipeline as pipeline_history,
        parsed.record.propertiesWithHistory.amount as amount_history,
        parsed.record.propertiesWithHistory.closedate as close_date_history,
        parsed.record.propertiesWithHistory.hubspot_owner_id as owner_history,
        parsed.record.propertiesWithHistory.deal_currency_code as currency_history,
        parsed.change,
        parsed.change in ('deleted', 'archived')
        or coalesce(parsed.record.archived, false) as is_deleted,
        parsed.source_updated_at,
        parsed.observed_at,
        parsed.sync_id,
        parsed.position,
        parsed.raw_version_id
    from parsed
)

select * from final
