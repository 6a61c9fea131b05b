-- Grain: one row per landed version of a deal; a deleted one keeps its content for 30 days.

{% set structure = {
    'title': 'VARCHAR',
    'status': 'VARCHAR',
    'value': 'DECIMAL(24,4)',
    'currency': 'VARCHAR',
    'stage_id': 'VARCHAR',
    'pipeline_id': 'VARCHAR',
    'owner_id': 'VARCHAR',
    'person_id': 'VARCHAR',
    'org_id': 'VARCHAR',
    'probability': 'DECIMAL(24,6)',
    'lost_reason': 'VARCHAR',
    'origin': 'VARCHAR',
    'channel': 'VARCHAR',
    'source_lead_id': 'VARCHAR',
    'expected_close_date': 'DATE',
    'add_time': 'TIMESTAMPTZ',
    'update_time': 'TIMESTAMPTZ',
    'stage_change_time': 'TIMESTAMPTZ',
    'won_time': 'TIMESTAMPTZ',
    'lost_time': 'TIMESTAMPTZ',
    'close_time': 'TIMESTAMPTZ',
    'is_archived': 'BOOLEAN',
    'archive_time': 'TIMESTAMPTZ',
    'survivor_id': 'VARCHAR',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('pipedrive', 'deals') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as deal_key,
        landed.record_id as deal_id,
        landed.connection,
        nullif(trim(landed.record.title), '') as deal_name,
        landed.record.status as vendor_status,
        cast(landed.record.value as {{ money_type() }}) as deal_amount,
        upper(landed.record.currency) as currency_code,
        landed.record.stage_id as source_stage_id,
        landed.record.pipeline_id as pipeline_id,
        landed.record.owner_id as owner_id,
        landed.record.person_id as person_id,
        landed.record.org_id as organization_id,
        landed.record.probability as probability_percent,
        nullif(trim(landed.record.lost_reason), '') as lost_reason,
        coalesce(landed.record.channel, landed.record.origin) as source_channel,
        landed.record.source_lead_id as source_lead_id,
        landed.record.survivor_id as survivor_id,
        coalesce(landed.record.is_archived, false) as is_archived,
        landed.record.expected_close_date as expected_close_date,
        landed.record.add_time as created_at,
        landed.record.update_time as updated_at,
        landed.record.stage_change_time as stage_changed_at,
        landed.record.won_time as won_at,
        landed.record.lost_time as lost_at,
        landed.record.close_time as closed_at,
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
