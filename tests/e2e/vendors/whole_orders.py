"""What a CRM without shipments tells of goods: an order is delivered as a whole, or not at all."""

from collections.abc import Callable
from decimal import Decimal

from sandbox.company import Company
from sandbox.company.goods import Order
from sandbox.company.truth_after_deal import count_stock
from tests.e2e.vendors import GoodsTruth, OrderRow, second

ZERO = Decimal(0)


def whole_orders(
    company: Company,
    source: str,
    *,
    order_key: Callable[[int], str],
    deal_key: Callable[[str], str],
    product_key: Callable[[int], str],
    money: Callable[[int, Order], tuple[Decimal, Decimal]],
    ships_services: bool,
    tells_reserved: bool,
) -> GoodsTruth:
    """The truth of such a CRM. ``money`` gives net and tax of the order at a place."""
    world = company.world
    orders: dict[str, OrderRow] = {}
    lines, deliveries = [], []
    for place, order in enumerate(world.goods.orders):
        key, is_cancelled = order_key(place), order.status == "cancelled"
        is_there = order.is_whole and not is_cancelled
        status = "cancelled" if is_cancelled else "done" if is_there else "confirmed"
        net, tax = money(place, order)
        orders[key] = OrderRow(
            deal_key=deal_key(order.deal.id) if order.deal else None,
            domain=order.account.domain,
            status=status,
            currency=order.currency,
            net=net,
            tax=tax,
            ordered_at=second(order.at),
            is_committed=not is_cancelled,
        )
        for one in order.lines:
            quantity, product = Decimal(one.line.quantity), product_key(one.line.product)
            is_shipped = one.is_goods or ships_services
            arrived = quantity if is_there and is_shipped else ZERO
            owed = quantity if is_shipped and not (is_there or is_cancelled) else ZERO
            lines.append((key, product, quantity, one.line.amount, arrived, owed, is_shipped))
            if arrived:
                deliveries.append((key, product, quantity, second(order.arrivals[-1])))
    newest = max(one.on for one in world.goods.stock)
    counts = [one for one in world.goods.stock if one.on == newest]
    return GoodsTruth(
        orders=orders,
        lines=lines,
        deliveries=deliveries,
        stock={
            (product_key(product), f"{source}:default"): (
                newest,
                Decimal(held),
                Decimal(sum(one.reserved for one in counts if one.product == product))
                if tells_reserved
                else None,
                Decimal(sum(one.inbound for one in counts if one.product == product))
                if tells_reserved
                else None,
            )
            for product, held in count_stock(world).items()
        },
    )
