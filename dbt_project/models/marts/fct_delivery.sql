-- Grain: one row per order line x shipment. What came back is a row of its own, negative.

with deliveries as (
    {{ newest_versions('int_deliveries_unioned', 'delivery_key') }}
),

final as (
    select
        delivery_key,
        shipment_id,
        order_key,
        order_line_key,
        warehouse_key,
        case
            when is_cancelled then 'cancelled'
            when shipped_qty < 0 and delivered_at <= {{ as_of_at() }} then 'returned'
            when delivered_at <= {{ as_of_at() }} then 'delivered'
            when shipped_at <= {{ as_of_at() }} then 'shipped'
            else 'planned'
        end as status,
        vendor_status,
        source_system,
        connection,
        raw_version_id,
        shipped_qty,
        -- Late: after the promised day, or not there though it has passed.
        coalesce(
            promised_date < least(
                coalesce({{ company_date('delivered_at') }}, {{ as_of_date() }}),
                {{ as_of_date() }}
            )
            and not is_cancelled
            and shipped_qty > 0,
            false
        ) as is_late,
        is_deleted,
        promised_date,
        shipped_at,
        delivered_at
    from deliveries
)

select * from final
