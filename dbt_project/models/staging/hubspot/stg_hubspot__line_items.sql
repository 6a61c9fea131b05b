-- Grain: one row per landed version of a line item.

{% set structure = {
    'properties': {
        'hs_product_id': 'VARCHAR',
        'name': 'VARCHAR',
        'hs_sku': 'VARCHAR',
        'recurringbillingfrequency': 'VARCHAR',
        'hs_recurring_billing_period': 'VARCHAR',
        'hs_line_item_currency_code': 'VARCHAR',
        'quantity': 'DECIMAL(18,6)',
        'price': 'DECIMAL(38,12)',
        'hs_total_discount': 'DECIMAL(24,4)',
        'amount': 'DECIMAL(24,4)',
        'hs_tax_amount': 'DECIMAL(24,4)',
        'hs_term_in_months': 'BIGINT',
        'hs_recurring_billing_start_date': 'DATE',
        'hs_recurring_billing_end_date': 'DATE',
        'createdate': 'TIMESTAMPTZ',
        'hs_lastmodifieddate': 'TIMESTAMPTZ',
    },
    'associations': {
        'deals': {'results': [{'id': 'VARCHAR'}]},
        'quotes': {'results': [{'id': 'VARCHAR'}]},
    },
    'createdAt': 'TIMESTAMPTZ',
    'archived': 'BOOLEAN',
} %}

with landed as (
    select
        *,
        {{ json_struct('payload', structure) }} as record
    from {{ source('hubspot', 'line_items') }}
),

final as (
    select
        concat(landed.connection, ':', landed.record_id) as line_item_key,
        landed.record_id as line_item_id,
        landed.connection,
        nullif(trim(landed.record.properties.hs_product_id), '') as product_id,
        nullif(trim(landed.record.properties.name), '') as name,
        nullif(trim(landed.record.properties.hs_sku), '') as sku,
        nullif(trim(landed.record.properties.recurringbillingfrequency), '') as billing_interval,
        nullif(trim(landed.record.properties.hs_recurring_billing_period), '') as billing_period,
        upper(nullif(trim(landed.record.properties.hs_line_item_currency_code), '')) as currency_code,
        landed.record.properties.quantity as quantity,
        landed.record.properties.price as unit_price_amount,
        cast(landed.record.properties.hs_total_discount as {{ money_type() }}) as discount_amount,
        cast(landed.record.properties.amount as {{ money_type() }}) as net_amount,
        cast(landed.record.properties.hs_tax_amount as {{ money_type() }}) as tax_amount,
        landed.record.properties.hs_term_in_months as term_months,
        landed.record.properties.hs_recurring_billing_start_date as service_start,
        landed.record.properties.hs_recurring_billing_end_date as service_end,
        landed.record.properties.createdate as created_at,
        landed.record.properties.hs_lastmodifieddate as updated_at,
        list_sort(list_distinct(list_transform(
            coalesce(landed.record.associations.deals.results, []),
            lambda one: concat(landed.connection, ':', one.id)
        ))) as deal_keys,
        list_sort(list_distinct(list_transform(
            coalesce(landed.record.associations.quotes.results, []),
            lambda one: concat(landed.connection, ':', one.id)
        ))) as quote_keys,
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
