-- Grain: one row per product x warehouse x business date on which something was stated; a day
-- without a row is as the row before it.
--
-- A warehouse may hold a product in several counted places (shelves, lots), each stated on days
-- of its own: the sum of all is carried on by what each statement changes.

with statements as (
    {{ newest_versions('int_stock_unioned', 'stock_record_key') }}
),

standing as (
    select *
    from statements
    where
        not is_deleted
        and product_key is not null
        and stock_date <= {{ as_of_date() }}
),

changes as (
    select
        source_system,
        connection,
        raw_version_id,
        product_key,
        product_name,
        warehouse_key,
        stock_date,
        {%- for quantity in ['on_hand_qty', 'reserved_qty', 'inbound_qty'] %}
        coalesce({{ quantity }}, 0)
        - coalesce(lag({{ quantity }}) over (partition by stock_item_key order by stock_date), 0)
            as {{ quantity }},
        {%- endfor %}
        reserved_qty is not null as is_reserved_known,
        inbound_qty is not null as is_inbound_known
    from standing
),

days as (
    select
        product_key,
        warehouse_key,
        stock_date,
        max(product_name) as product_name,
        min(source_system) as source_system,
        min(connection) as connection,
        max(raw_version_id) as raw_version_id,
        sum(on_hand_qty) as on_hand_qty,
        sum(reserved_qty) as reserved_qty,
        sum(inbound_qty) as inbound_qty,
        max(cast(is_reserved_known as integer)) as reserved_known,
        max(cast(is_inbound_known as integer)) as inbound_known
    from changes
    group by product_key, warehouse_key, stock_date
),

final as (
    select
        concat_ws('|', product_key, warehouse_key, stock_date) as stock_key,
        product_key,
        product_name,
        warehouse_key,
        source_system,
        connection,
        raw_version_id,
        cast(sum(on_hand_qty) over until_day as decimal(18, 6)) as on_hand_qty,
        case
            when max(reserved_known) over until_day = 1
                then cast(sum(reserved_qty) over until_day as decimal(18, 6))
        end as reserved_qty,
        case
            when max(inbound_known) over until_day = 1
                then cast(sum(inbound_qty) over until_day as decimal(18, 6))
        end as inbound_qty,
        stock_date = max(stock_date) over (partition by product_key, warehouse_key) as is_newest,
        false as is_deleted,
        stock_date as business_date
    from days
    window until_day as (
        partition by product_key, warehouse_key
        order by stock_date
        rows between unbounded preceding and current row
    )
)

select * from final
