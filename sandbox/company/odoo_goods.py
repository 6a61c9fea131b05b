"""What Odoo shows of goods: orders, what their lines say is delivered, transfers, stock, tickets.

An order is the accepted quotation of its deal, else one that nobody quoted before. What was
cancelled before anybody looked is a quotation that came to nothing.
"""

from sandbox.company.clock import instant, local, midnight
from sandbox.company.goods import WAREHOUSES, Order
from sandbox.company.hubspot_work import product_id
from sandbox.company.model import World
from sandbox.company.odoo_record import Row, Tables, at_second, put, put_order

FIRST = 900_000
"""Where the numbers of orders begin that were no quotation before."""
STATES = {"confirmed": "sale", "done": "done", "cancelled": "cancel"}
PRIORITIES = {"low": "0", "normal": "1", "high": "2", "critical": "3"}


def quotation(order: Order) -> int | None:
    """The accepted quotation of an order's deal, if there is one."""
    quotes = [] if order.deal is None else order.deal.quotes
    return next((int(one.id) for one in quotes if one.status == "APPROVED"), None)


def order_number(world: World, order: Order) -> int:
    """The number of an order: its quotation's, or one of its own."""
    return quotation(order) or FIRST + world.goods.orders.index(order)


def put_goods(world: World, tables: Tables) -> None:
    """Confirm what was ordered, write what was delivered, and count the stock."""
    for order in world.goods.orders:
        number = order_number(world, order)
        if number not in tables.get("sale.order", {}):
            row: Row = {"name": order.id, "partner_id": int(order.account.id)}
            row |= {"opportunity_id": None if order.deal is None else int(order.deal.id)}
            told = [one.line for one in order.lines]
            put_order(tables, number, row, told, order.currency, order.at)
        _confirm(tables, number, order)
    for line in tables.get("sale.order.line", {}).values():
        line.setdefault("qty_delivered", 0.0)
        line.setdefault("qty_delivered_method", "stock_move")
    _count(world, tables)
    _take_calls(world, tables)


def _confirm(tables: Tables, number: int, order: Order) -> None:
    """State, day and money of the order; what of each line arrived, and when."""
    moved = max([order.at, *order.arrivals])
    promised = [sent.promised for line in order.lines for sent in line.shipments]
    row = tables["sale.order"][number]
    row |= {"state": STATES[order.status], "date_order": at_second(order.at)}
    row |= {"amount_untaxed": float(order.net), "amount_total": float(order.net)}
    row |= {"commitment_date": at_second(local(max(promised), 12)) if promised else None}
    row |= {"write_date": instant(moved)}
    lines = [one for one in tables["sale.order.line"].values() if one["order_id"] == number]
    for told, held in zip(order.lines, lines, strict=True):
        method = "stock_move" if told.is_goods else "manual"
        held |= {"qty_delivered": float(told.arrived), "qty_delivered_method": method}
        held |= {"write_date": instant(moved)}
    for moment in order.arrivals:
        transfer: Row = {"name": f"WH/OUT/{number}", "state": "done", "origin": order.id}
        transfer |= {"sale_id": number, "date_done": at_second(moment)}
        put(tables, "stock.picking", transfer, moment)


def _count(world: World, tables: Tables) -> None:
    newest = {(one.product, one.warehouse): one for one in world.goods.stock}
    for (product, warehouse), one in newest.items():
        row: Row = {"product_id": int(product_id(product)), "quantity": float(one.on_hand)}
        row |= {"location_id": 1 + WAREHOUSES.index(warehouse), "location_id.usage": "internal"}
        row |= {"reserved_quantity": float(one.reserved)}
        put(tables, "stock.quant", row, midnight(one.on))


def _take_calls(world: World, tables: Tables) -> None:
    for number, one in enumerate(world.goods.tickets, 1):
        row: Row = {"ticket_ref": one.id, "name": "It hums", "priority": PRIORITIES[one.severity]}
        row |= {"partner_id": int(one.account.id) if one.account else None}
        row |= {"close_date": at_second(one.solved) if one.solved else None}
        row |= {"write_date": instant(one.solved or one.answered or one.opened)}
        put(tables, "helpdesk.ticket", row, one.opened, number)
