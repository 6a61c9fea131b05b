-- Grain: one row per version of a quote; money in Chargebee's minor units.

{% set structure = {
    'name': 'VARCHAR',
    'customer_id': 'VARCHAR',
    'subscription_id': 'VARCHAR',
    'invoice_id': 'VARCHAR',
    'status': 'VARCHAR',
    'operation_type': 'VARCHAR',
    'price_type': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'po_number': 'VARCHAR',
    'total': 'BIGINT',
    'resource_version': 'BIGINT',
    'date': 'BIGINT',
    'valid_till': 'BIGINT',
    'updated_at': 'BIGINT',
    'taxes': [{'amount': 'BIGINT'}],
    'line_items': [chargebee_line()],
} %}
{% do structure.update(chargebee_deal_fields()) %}

with versions as (
    select
        *,
        {{ json_struct('payload', structure) }} as body
    from {{ raw_source('chargebee__quotes') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as quote_key,
        versions.record_id as quote_id,
        nullif(trim(versions.body.name), '') as quote_name,
        versions.connection || ':' || versions.body.customer_id as customer_key,
        versions.connection || ':' || nullif(versions.body.subscription_id, '')
            as subscription_key,
        versions.connection || ':' || nullif(versions.body.invoice_id, '') as invoice_key,
        versions.body.status as status,
        {{ chargebee_deal_reference('versions.body') }} as deal_reference,
        nullif(trim(versions.body.po_number), '') as po_number,
        coalesce(versions.body.price_type = 'tax_inclusive', false) as is_tax_inclusive,
        upper(versions.body.currency_code) as currency_code,
        versions.body.total as total_minor,
        coalesce({{ list_total('versions.body.taxes', 'one.amount') }}, 0) as tax_minor,
        versions.body.line_items as lines,
        versions.body.resource_version as resource_version,
        {{ chargebee_instant('versions.body.date') }} as quoted_at,
        {{ chargebee_instant('versions.body.valid_till') }} as valid_till_at,
        {{ chargebee_instant('versions.body.updated_at') }} as updated_at,
        versions.raw_version_id,
        'chargebee' as source_system,
        versions.connection,
        versions.change,
        versions.change <> 'upsert' as is_deleted,
        versions.source_updated_at,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
