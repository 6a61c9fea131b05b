-- Grain: one row per version of a product of Zoho x business date: one stock for the whole company. A
-- version counts from its edit; where the edit is older than our last look, the stock moved without
-- one and counts from the day on which we saw it. A product that was deleted holds nothing.

with versions as (
    select
        *,
        lag(observed_at) over in_order as last_seen_at,
        last_value(product_name ignore nulls) over so_far as known_name,
        last_value(stock_quantity ignore nulls) over so_far as known_quantity
    from {{ ref('stg_zoho__products') }}
    window
        in_order as (partition by product_key order by observed_at, sync_id, position),
        so_far as (
            partition by product_key
            order by observed_at, sync_id, position
            rows between unbounded preceding and current row
        )
),

dated as (
    select
        *,
        case
            when
                not is_deleted
                and (last_seen_at is null or updated_at > last_seen_at)
                then coalesce({{ company_date('updated_at') }}, {{ company_date('observed_at') }})
            else {{ company_date('observed_at') }}
        end as stock_date
    from versions
    where known_quantity is not null and (is_deleted or stock_quantity is not null)
)

select
    concat_ws('|', product_key, stock_date) as stock_record_key,
    product_key as stock_item_key,
    'zoho' as source_system,
    connection,
    product_key,
    known_name as product_name,
    connection || ':default' as warehouse_key,
    case when is_deleted then 0 else cast(stock_quantity as decimal(18, 6)) end as on_hand_qty,
    case when is_deleted then 0 else demanded_quantity end as reserved_qty,
    case when is_deleted then 0 else ordered_quantity end as inbound_qty,
    stock_date,
    'upsert' as change,
    false as is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from dated
