-- Grain: one row per landed version of a deal's set of associated records.
--
-- The whole set is one record, so that a company taken off a deal is a new version.

{% set structure = {
    'id': 'VARCHAR',
    'companies': [{'id': 'VARCHAR', 'labels': ['VARCHAR'], 'primary': 'BOOLEAN'}],
    'contacts': [{'id': 'VARCHAR', 'labels': ['VARCHAR'], 'primary': 'BOOLEAN'}],
    'line_items': ['JSON'],
    'quotes': ['JSON'],
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('hubspot', 'deal_associations') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as deal_key,
        landed.connection,
        landed.record.companies as companies,
        landed.record.contacts as contacts,
        -- Ids come alone or as objects with labels, as the other two do.
        list_transform(
            landed.record.line_items,
            lambda one: concat(
                landed.connection, ':',
                coalesce(one ->> '$.id', one ->> '$')
            )
        ) as line_item_keys,
        list_transform(
            landed.record.quotes,
            lambda one: concat(
                landed.connection, ':',
                coalesce(one ->> '$.id', one ->> '$')
            )
        ) as quote_keys,
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
