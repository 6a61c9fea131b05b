-- Grain: one row per landed version of a ticket, with the history of its stage as a list.

{% set structure = {
    'properties': {
        'hs_pipeline_stage': 'VARCHAR',
        'hs_ticket_priority': 'VARCHAR',
        'createdate': 'TIMESTAMPTZ',
        'closed_date': 'TIMESTAMPTZ',
        'first_agent_reply_date': 'TIMESTAMPTZ',
    },
    'propertiesWithHistory': {
        'hs_pipeline_stage': [{'value': 'VARCHAR', 'timestamp': 'TIMESTAMPTZ'}],
    },
    'associations': {
        'contacts': {'results': [{'id': 'VARCHAR'}]},
        'companies': {'results': [{'id': 'VARCHAR'}]},
        'deals': {'results': [{'id': 'VARCHAR'}]},
    },
    'createdAt': 'TIMESTAMPTZ',
    'archived': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('hubspot', 'tickets') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as ticket_key,
        landed.record_id as ticket_id,
        landed.connection,
        nullif(trim(landed.record.properties.hs_pipeline_stage), '') as stage_id,
        lower(nullif(trim(landed.record.properties.hs_ticket_priority), '')) as vendor_severity,
        {{ list_at('list_sort(list_transform(
            coalesce(landed.record.associations.companies.results, []), lambda one: one.id
        ))', 1) }} as company_id,
        {{ list_at('list_sort(list_transform(
            coalesce(landed.record.associations.contacts.results, []), lambda one: one.id
        ))', 1) }} as contact_id,
        {{ list_at('list_sort(list_transform(
            coalesce(landed.record.associations.deals.results, []), lambda one: one.id
        ))', 1) }} as deal_id,
        landed.record.propertiesWithHistory.hs_pipeline_stage as stage_history,
        coalesce(landed.record.properties.createdate, landed.record.createdAt) as created_at,
        landed.record.properties.closed_date as closed_at,
        landed.record.properties.first_agent_reply_date as first_response_at,
        landed.change,
        landed.change in ('deleted', 'archived', 'merged')
        or coalesce(landed.record.archived, false) as is_deleted,
        landed.observed_at,
        landed.sync_id,
        landed.position,
        landed.raw_version_id
    from landed
)

select * from final
