-- Grain: one row per version of a price of Product Catalog 2.0.

{% set structure = {
    'name': 'VARCHAR',
    'external_name': 'VARCHAR',
    'item_id': 'VARCHAR',
    'currency_code': 'VARCHAR',
    'period': 'BIGINT',
    'period_unit': 'VARCHAR',
    'accounting_detail': {'sku': 'VARCHAR'},
} %}

with versions as (
    select
        *,
        {{ json_struct('payload', structure) }} as body
    from {{ raw_source('chargebee__item_prices') }}
),

final as (
    select
        versions.connection || ':' || versions.record_id as item_price_key,
        coalesce(
            nullif(trim(versions.body.external_name), ''), nullif(trim(versions.body.name), '')
        ) as price_name,
        versions.connection || ':' || nullif(versions.body.item_id, '') as item_key,
        nullif(trim(versions.body.accounting_detail.sku), '') as sku,
        versions.body.period_unit as billing_interval,
        case versions.body.period_unit
            when 'year' then 12 * versions.body.period
            when 'month' then versions.body.period
        end as term_months,
        versions.raw_version_id,
        versions.connection,
        versions.change,
        versions.observed_at,
        versions.sync_id,
        versions.position
    from versions
)

select * from final
