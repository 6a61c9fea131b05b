-- Grain: one row per landed version of a line of a Salesforce quote, or of a product of an
-- opportunity.

with products as (
    {{ salesforce_newest(ref('stg_salesforce__products'), 'product_id', ['product_name', 'sku']) }}
),

organizations as (
    select
        connection,
        arg_max(currency_code, (observed_at, sync_id, position)) as currency_code
    from {{ ref('stg_salesforce__organization') }}
    where has_content
    group by connection
),

lines as (
    select
        line_key,
        line_id,
        connection,
        connection || ':' || quote_id as stated_quote_key,
        cast(null as varchar) as stated_deal_key,
        product_id,
        cast(null as varchar) as line_name,
        currency_code,
        quantity,
        unit_price,
        net_amount,
        service_start,
        change,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_salesforce__quote_line_items') }}

    union all

    select
        line_key,
        line_id,
        connection,
        null,
        connection || ':' || deal_id,
        product_id,
        line_name,
        currency_code,
        quantity,
        unit_price,
        net_amount,
        service_start,
        change,
        is_deleted,
        observed_at,
        sync_id,
        position,
        raw_version_id
    from {{ ref('stg_salesforce__line_items') }}
)

select
    lines.line_key as quote_line_key,
    lines.line_id,
    'salesforce' as source_system,
    lines.connection,
    lines.stated_quote_key,
    lines.stated_deal_key,
    lines.connection || ':' || lines.product_id as product_key,
    coalesce(products.product_name, lines.line_name) as product_name,
    products.sku,
    'one_time' as billing_interval,
    coalesce(lines.currency_code, organizations.currency_code) as currency_code,
    cast(lines.quantity as decimal(18, 6)) as quantity,
    lines.unit_price as unit_price_amt,
    cast(
        cast(lines.quantity as decimal(18, 6)) * cast(lines.unit_price as decimal(18, 4))
        - lines.net_amount as {{ money_type() }}
    ) as discount_amt,
    lines.net_amount as net_amt,
    lines.service_start,
    lines.change,
    lines.is_deleted,
    lines.observed_at,
    lines.sync_id,
    lines.position,
    lines.raw_version_id
from lines
left join products
    on lines.connection = products.connection and lines.product_id = products.product_id
left join organizations on lines.connection = organizations.connection
