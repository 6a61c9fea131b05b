-- Grain: one row per quant of Odoo x business date on which it changed; one that is gone holds
-- nothing from the day on which we missed it. A place (location) stands for its warehouse.

with versions as (
    select
        *,
        last_value(product_id ignore nulls) over so_far as known_product_id,
        last_value(location_id ignore nulls) over so_far as known_location_id,
        case
            when has_content and not is_deleted then {{ company_date('updated_at') }}
            else {{ company_date('observed_at') }}
        end as stock_date
    from {{ ref('stg_odoo__stock') }}
    window so_far as (
        partition by quant_key
        order by observed_at, sync_id, position
        rows between unbounded preceding and current row
    )
)

select
    concat_ws('|', quant_key, stock_date) as stock_record_key,
    quant_key as stock_item_key,
    'odoo' as source_system,
    connection,
    connection || ':' || known_product_id as product_key,
    connection || ':' || known_location_id as warehouse_key,
    case when has_content and not is_deleted then quantity else 0 end as on_hand_qty,
    case when has_content and not is_deleted then reserved_quantity else 0 end as reserved_qty,
    stock_date,
    'upsert' as change,
    false as is_deleted,
    observed_at,
    sync_id,
    position,
    raw_version_id
from versions
