"""What Odoo shows of goods: what its order lines say is delivered, its transfers, and its stock.

Only a confirmed quotation is an order here; one of a deal that was never confirmed ships nothing.
"""

from datetime import UTC, datetime
from typing import Any

from sandbox.company.clock import instant, midnight
from sandbox.company.goods import WAREHOUSES, Order, Shipment
from sandbox.company.hubspot_work import product_id
from sandbox.company.model import World

Row = dict[str, Any]
Tables = dict[str, dict[int, Row]]


def there(shipments: list[Shipment]) -> list[Shipment]:
    """The shipments that arrived."""
    return [one for one in shipments if one.arrived is not None]


def put_goods(world: World, tables: Tables) -> None:
    """Write into the order lines what is delivered, and the transfers and stock beside them."""
    lines: dict[int, list[Row]] = {}
    for line in tables.get("sale.order.line", {}).values():
        line |= {"qty_delivered": 0.0, "qty_delivered_method": "stock_move"}
        lines.setdefault(line["order_id"], []).append(line)
    of_deal: dict[int, Order] = {
        int(one.deal.id): one
        for one in world.goods.orders
        if one.deal is not None and one.status != "cancelled"
    }
    for number, row in tables.get("sale.order", {}).items():
        order = of_deal.get(row["opportunity_id"])
        if order is not None and row["state"] == "sale":
            _ship(tables, number, order, lines.get(number, []))
    _count(world, tables)


def _ship(tables: Tables, number: int, order: Order, lines: list[Row]) -> None:
    moments: list[int] = []
    for told, held in zip(order.lines, lines, strict=True):
        arrived = there(told.shipments)
        held["qty_delivered"] = float(sum(one.quantity for one in arrived))
        held["qty_delivered_method"] = "stock_move" if told.is_goods else "manual"
        moments += [one.arrived for one in arrived if one.arrived is not None]
    for moment in sorted(set(moments)):
        _put(
            tables,
            "stock.picking",
            {"name": f"WH/OUT/{number}", "state": "done", "sale_id": number, "origin": order.id}
            | {"date_done": instant(moment).replace(microsecond=0)},
            instant(moment),
        )


def _count(world: World, tables: Tables) -> None:
    newest = {(one.product, one.warehouse): one for one in world.goods.stock}
    for (product, warehouse), one in newest.items():
        row: Row = {"product_id": int(product_id(product)), "quantity": float(one.on_hand)}
        row |= {"location_id": 1 + WAREHOUSES.index(warehouse), "location_id.usage": "internal"}
        row |= {"reserved_quantity": float(one.reserved)}
        _put(tables, "stock.quant", row, instant(midnight(one.on)))


def _put(tables: Tables, model: str, row: Row, at: datetime) -> None:
    table = tables.setdefault(model, {})
    number = len(table) + 1
    at = at.astimezone(UTC)
    stamps = {"id": number, "create_date": at.replace(microsecond=0), "write_date": at}
    table[number] = {**stamps, **row}
