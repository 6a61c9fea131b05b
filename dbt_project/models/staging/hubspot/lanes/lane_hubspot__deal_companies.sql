-- Grain: one row per landed set of the companies of a HubSpot deal.

select
    deal_key,
    'hubspot' as source_system,
    connection,
    list_transform(
        coalesce(companies, []),
        lambda one: {
            'key': concat(connection, ':', one.id),
            'labels': coalesce(one.labels, []),
            'is_primary': coalesce(one.primary, false)
        }
    ) as members,
    observed_at,
    sync_id,
    position,
    raw_version_id
from {{ ref('stg_hubspot__deal_associations') }}
where change in ('upsert', 'deleted', 'archived')
