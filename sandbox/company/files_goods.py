"""The ERP's exports: orders, shipments, stock, cases and bills, under canonical headers.

They name the CRM's records by its connection: ``hubspot:4711``.
"""

from sandbox.company.clock import iso
from sandbox.company.goods import Goods
from sandbox.company.hubspot_work import product_id
from sandbox.company.model import World
from sandbox.company.names import PRODUCTS
from sandbox.company.tables import Rows, table

CRM = "hubspot"


def _key(record_id: str | None) -> str:
    return f"{CRM}:{record_id}" if record_id else ""


def _at(moment: int | None) -> str:
    return "" if moment is None else iso(moment)


def _orders(goods: Goods) -> bytes:
    header = "order_id number status deal_key company_key currency_code net_amount ordered_at"
    return table(
        header,
        [
            [
                *(one.id, one.id, one.status, _key(one.deal.id if one.deal else None)),
                *(_key(one.account.id), one.currency, str(one.net), iso(one.at)),
            ]
            for one in goods.orders
        ],
    )


def _order_lines(goods: Goods) -> bytes:
    header = (
        "order_id line_id product_key description quantity unit_price net_amount is_deliverable"
    )
    return table(
        header,
        [
            [
                *(one.id, str(line.number), _key(product_id(line.line.product))),
                *(PRODUCTS[line.line.product][0], str(line.line.quantity), str(line.line.price)),
                *(str(line.line.amount), str(line.is_goods).lower()),
            ]
            for one in goods.orders
            for line in one.lines
        ],
    )


def _deliveries(goods: Goods) -> bytes:
    header = (
        "shipment_id order_id line_id warehouse_id shipped_qty promised_date shipped_at "
        "delivered_at"
    )
    return table(
        header,
        [
            [
                *(sent.id, one.id, str(line.number), sent.warehouse, str(sent.quantity)),
                *(sent.promised.isoformat(), iso(sent.shipped), _at(sent.arrived)),
            ]
            for one in goods.orders
            for line in one.lines
            for sent in line.shipments
        ],
    )


def _stock(goods: Goods) -> bytes:
    header = "product_key product_name warehouse_id stock_date on_hand_qty reserved_qty inbound_qty"
    return table(
        header,
        [
            [
                *(_key(product_id(one.product)), PRODUCTS[one.product][0], one.warehouse),
                *(one.on.isoformat(), str(one.on_hand), str(one.reserved), str(one.inbound)),
            ]
            for one in goods.stock
        ],
    )


def _tickets(goods: Goods) -> bytes:
    header = (
        "ticket_id severity company_key deal_key reopened_count opened_at first_response_at "
        "solved_at"
    )
    return table(
        header,
        [
            [
                *(one.id, one.severity, _key(one.account.id if one.account else None)),
                *(_key(one.deal.id if one.deal else None), str(one.reopened), iso(one.opened)),
                *(_at(one.answered), _at(one.solved)),
            ]
            for one in goods.tickets
        ],
    )


def _bills(goods: Goods) -> bytes:
    header = (
        "bill_id supplier_id supplier_name category currency_code net_amount tax_amount "
        "gross_amount issue_date due_date voided_date"
    )
    return table(
        header,
        [
            [
                *(one.id, *one.supplier, one.currency, str(one.net), str(one.tax)),
                *(str(one.gross), one.issued.isoformat(), one.due.isoformat()),
                one.voided.isoformat() if one.voided else "",
            ]
            for one in goods.bills
        ],
    )


def _bill_payments(goods: Goods) -> bytes:
    rows: Rows = [
        [number, one.id, one.currency, str(amount), day.isoformat()]
        for one in goods.bills
        for number, day, amount in one.payments
    ]
    return table("payment_id bill_id currency_code amount paid_date", rows)


def render_goods(world: World) -> dict[str, bytes]:
    """The exports by name."""
    goods = world.goods
    return {
        "orders.csv": _orders(goods),
        "order_lines.csv": _order_lines(goods),
        "deliveries.csv": _deliveries(goods),
        "stock.csv": _stock(goods),
        "tickets.csv": _tickets(goods),
        "bills.csv": _bills(goods),
        "bill_payments.csv": _bill_payments(goods),
    }
