-- Grain: one row per landed version of a logged e-mail.

{% set structure = {
    'properties': {
        'hs_email_subject': 'VARCHAR',
        'hs_email_direction': 'VARCHAR',
        'hs_email_status': 'VARCHAR',
        'hs_email_from_email': 'VARCHAR',
        'hs_email_to_email': 'VARCHAR',
        'hs_email_cc_email': 'VARCHAR',
        'hs_email_message_id': 'VARCHAR',
        'hs_email_open_count': 'VARCHAR',
        'hs_email_thread_id': 'VARCHAR',
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
    from {{ source('hubspot', 'emails') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as email_key,
        landed.record_id as email_id,
        landed.connection,
        nullif(trim(landed.record.properties.hs_email_subject), '') as subject,
        upper(nullif(trim(landed.record.properties.hs_email_direction), '')) as direction,
        upper(nullif(trim(landed.record.properties.hs_email_status), '')) as vendor_status,
        lower(nullif(trim(landed.record.properties.hs_email_from_email), '')) as from_email,
        lower(nullif(trim(landed.record.properties.hs_email_to_email), '')) as to_emails,
        lower(nullif(trim(landed.record.properties.hs_email_cc_email), '')) as cc_emails,
        nullif(trim(landed.record.properties.hs_email_message_id), '') as message_id,
        nullif(trim(landed.record.properties.hs_email_thread_id), '') as thread_id,
        nullif(trim(landed.record.properties.hubspot_owner_id), '') as owner_id,
        try_cast(landed.record.properties.hs_email_open_count as bigint) as opens_n,
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
