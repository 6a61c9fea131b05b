-- Grain: one row per line of a quote or deal: its newest content.

with typed_nothing as (
    select
        cast(null as varchar) as quote_line_key,
        cast(null as varchar) as line_id,
        cast(null as varchar) as source_system,
        cast(null as varchar) as connection,
        cast(null as varchar) as stated_quote_key,
        cast(null as varchar) as stated_deal_key,
        cast(null as varchar) as product_key,
        cast(null as varchar) as product_name,
        cast(null as varchar) as sku,
        cast(null as varchar) as billing_interval,
        cast(null as varchar) as currency_code,
        cast(null as decimal(18, 6)) as quantity,
        cast(null as decimal(38, 12)) as unit_price_amt,
        cast(null as {{ money_type() }}) as discount_amt,
        cast(null as {{ money_type() }}) as net_amt,
        cast(null as {{ money_type() }}) as tax_amt,
        cast(null as bigint) as term_months,
        cast(null as date) as service_start,
        cast(null as date) as service_end,
        cast(null as varchar) as change,
        cast(null as boolean) as is_deleted,
        cast(null as {{ instant_type() }}) as observed_at,
        cast(null as varchar) as sync_id,
        cast(null as bigint) as position,
        cast(null as varchar) as raw_version_id
    where false
),

versions as (
    select * from typed_nothing
    {% if has_source('hubspot') %}
    union all
    select
        line_item_key, line_item_id, 'hubspot', connection, quote_keys[1], deal_keys[1],
        concat(connection, ':') || product_id, name, sku,
        case
            when billing_interval is null then 'one_time'
            when lower(billing_interval) = 'monthly' then 'month'
            when lower(billing_interval) = 'quarterly' then 'quarter'
            when lower(billing_interval) in ('annually', 'yearly') then 'year'
            else lower(billing_interval)
        end,
        currency_code, quantity, unit_price_amount, discount_amount, net_amount, tax_amount,
        term_months, service_start, service_end,
        change, is_deleted, observed_at, sync_id, position, raw_version_id
    from {{ ref('stg_hubspot__line_items') }}
    {% endif %}
    {% if has_source('files') %}
    union all
    select
        quote_line_key, coalesce(line_id, split_part(raw_version_id, ':', 4)), 'files',
        connection, concat(connection, ':') || quote_id, null,
        concat(connection, ':') || product_id, description, null, 'one_time', currency_code,
        quantity, unit_price_amount, null, net_amount, null, null, null, null,
        change, is_deleted, observed_at, sync_id, position, raw_version_id
    from {{ ref('stg_files__quote_lines') }}
    {% endif %}
),

final as (
    select * from versions
    where change in ('upsert', 'archived')
    qualify row_number() over (
        partition by quote_line_key order by observed_at desc, sync_id desc, position desc
    ) = 1
)

select
    final.* exclude (is_deleted),
    final.is_deleted or coalesce(gone.is_deleted, false) as is_deleted
from final
left join (
    select quote_line_key, is_deleted, observed_at
    from versions
    where change = 'deleted'
    qualify row_number() over (
        partition by quote_line_key order by observed_at desc, sync_id desc, position desc
    ) = 1
) as gone
    on
        final.quote_line_key = gone.quote_line_key
        and gone.observed_at >= final.observed_at
