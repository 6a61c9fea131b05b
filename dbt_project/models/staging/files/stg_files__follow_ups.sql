-- Grain: one row per version of what somebody did about a deal of the follow-up list on a day.

with versions as (
    select
        *,
        {{ json_struct('payload', {
            'deal_key': 'VARCHAR',
            'acknowledged_by': 'VARCHAR',
            'note': 'VARCHAR',
            'acknowledged_on': 'DATE',
            'snoozed_until': 'DATE',
        }) }} as body
    from {{ raw_source('files__follow_ups') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as follow_up_key,
        nullif(trim(versions.body.deal_key), '') as deal_key,
        nullif(trim(versions.body.acknowledged_by), '') as acknowledged_by,
        nullif(trim(versions.body.note), '') as note,
        versions.body.acknowledged_on,
        versions.body.snoozed_until,
        versions.raw_version_id,
        'files' as source_system,
        versions.connection,
        versions.change <> 'upsert' as is_deleted,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
