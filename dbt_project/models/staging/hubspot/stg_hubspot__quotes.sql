-- Grain: one row per landed version of a quote.

{% set structure = {
    'properties': {
        'hs_title': 'VARCHAR',
        'hs_quote_number': 'VARCHAR',
        'hs_status': 'VARCHAR',
        'hs_esign_status': 'VARCHAR',
        'hubspot_owner_id': 'VARCHAR',
        'hs_currency': 'VARCHAR',
        'hs_quote_amount': 'DECIMAL(24,4)',
        'hs_tax_amount': 'DECIMAL(24,4)',
        'hs_expiration_date': 'TIMESTAMPTZ',
        'hs_esign_date': 'TIMESTAMPTZ',
        'hs_createdate': 'TIMESTAMPTZ',
        'hs_lastmodifieddate': 'TIMESTAMPTZ',
    },
    'associations': {
        'deals': {'results': [{'id': 'VARCHAR'}]},
        'companies': {'results': [{'id': 'VARCHAR'}]},
        'line_items': {'results': [{'id': 'VARCHAR'}]},
    },
    'createdAt': 'TIMESTAMPTZ',
    'archived': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('hubspot', 'quotes') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as quote_key,
        landed.record_id as quote_id,
        landed.connection,
        nullif(trim(landed.record.properties.hs_title), '') as name,
        nullif(trim(landed.record.properties.hs_quote_number), '') as quote_number,
        upper(nullif(trim(landed.record.properties.hs_status), '')) as vendor_status,
        upper(nullif(trim(landed.record.properties.hs_esign_status), '')) as esign_status,
        nullif(trim(landed.record.properties.hubspot_owner_id), '') as owner_id,
        upper(nullif(trim(landed.record.properties.hs_currency), '')) as currency_code,
        cast(landed.record.properties.hs_quote_amount as {{ money_type() }}) as gross_amount,
        cast(landed.record.properties.hs_tax_amount as {{ money_type() }}) as tax_amount,
        landed.record.properties.hs_expiration_date as expires_at,
        landed.record.properties.hs_esign_date as esigned_at,
        landed.record.properties.hs_createdate as created_at,
        landed.record.properties.hs_lastmodifieddate as updated_at,
        list_sort(list_distinct(list_transform(
            coalesce(landed.record.associations.deals.results, []),
            lambda one: concat(landed.connection, ':', one.id)
        ))) as deal_keys,
        list_sort(list_distinct(list_transform(
            coalesce(landed.record.associations.companies.results, []),
            lambda one: concat(landed.connection, ':', one.id)
        ))) as company_keys,
        list_sort(list_distinct(list_transform(
            coalesce(landed.record.associations.line_items.results, []),
            lambda one: concat(landed.connection, ':', one.id)
        ))) as line_item_keys,
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
