-- Grain: one row per landed version of a logged call.

{% set structure = {
    'properties': {
        'hs_call_title': 'VARCHAR',
        'hs_call_status': 'VARCHAR',
        'hs_call_direction': 'VARCHAR',
        'hs_call_disposition': 'VARCHAR',
        'hs_call_duration': 'BIGINT',
        'hubspot_owner_id': 'VARCHAR',
        'hs_timestamp': 'TIMESTAMPTZ',
        'hs_createdate': 'TIMESTAMPTZ',
        'hs_lastmodifieddate': 'TIMESTAMPTZ',
    },
    'associations': {
        'deals': {'results': [{'id': 'VARCHAR'}]},
        'contacts': {'results': [{'id': 'VARCHAR'}]},
        'companies': {'results': [{'id': 'VARCHAR'}]},
    },
    'createdAt': 'TIMESTAMPTZ',
    'archived': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('hubspot', 'calls') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as call_key,
        landed.record_id as call_id,
        landed.connection,
        nullif(trim(landed.record.properties.hs_call_title), '') as subject,
        upper(nullif(trim(landed.record.properties.hs_call_status), '')) as vendor_status,
        upper(nullif(trim(landed.record.properties.hs_call_direction), '')) as direction,
        nullif(trim(landed.record.properties.hs_call_disposition), '') as disposition,
        landed.record.properties.hs_call_duration as duration_ms,
        nullif(trim(landed.record.properties.hubspot_owner_id), '') as owner_id,
        landed.record.properties.hs_timestamp as occurred_at,
        landed.record.properties.hs_createdate as created_at,
        landed.record.properties.hs_lastmodifieddate as updated_at,
        list_sort(list_distinct(list_transform(
            coalesce(landed.record.associations.deals.results, []),
            lambda one: concat(landed.connection, ':', one.id)
        ))) as deal_keys,
        list_sort(list_distinct(list_transform(
            coalesce(landed.record.associations.contacts.results, []),
            lambda one: concat(landed.connection, ':', one.id)
        ))) as contact_keys,
        list_sort(list_distinct(list_transform(
            coalesce(landed.record.associations.companies.results, []),
            lambda one: concat(landed.connection, ':', one.id)
        ))) as company_keys,
        landed.record.createdAt as record_created_at,
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
