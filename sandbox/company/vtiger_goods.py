"""What Vtiger shows of goods: sales orders, services, the stock of the catalogue, and tickets.

There are no shipments: an order is *Delivered* once all of its goods are with the customer, and
its last edit is the only date. Every other order is taxed, by turns by line and as a whole, and
services stand in a module of their own.
"""

from decimal import Decimal
from typing import Any, TypeAlias

from sandbox.company.clock import instant, midnight
from sandbox.company.goods import GOODS, Order, newest_counts
from sandbox.company.hubspot_work import product_id
from sandbox.company.model import World
from sandbox.company.money import rounded
from sandbox.company.names import PRODUCTS
from sandbox.company.vtiger_invoices import CURRENCIES

Row: TypeAlias = dict[str, str | None]
FIRST_ORDER, FIRST_TICKET, FIRST_SERVICE = 800_000, 850_000, 860_000
"""Where the numbers of these records begin, so that no other record has them."""
SEVERITIES = {"low": "Minor", "normal": "", "high": "Major", "critical": "Critical"}
TAX = Decimal(19)
SHIPPING = Decimal(12)


def text(at: int) -> str:
    """An instant as the database holds it: UTC, whole seconds."""
    return instant(at).strftime("%Y-%m-%d %H:%M:%S")


def _money(amount: Decimal) -> str:
    return f"{amount:.8f}"


def is_taxed_by_line(place: int) -> bool:
    """Whether the order at a place of the list is taxed line by line."""
    return place % 4 == 0


def order_money(place: int, order: Order) -> tuple[Decimal, Decimal]:
    """Net and tax of an order; one that is taxed as a whole is charged for shipping, too."""
    if is_taxed_by_line(place):
        taxes = (rounded(one.line.amount * TAX / 100, order.currency) for one in order.lines)
        return order.net, sum(taxes, Decimal(0))
    if place % 4 == 2:
        net = order.net + SHIPPING
        return net, rounded(net * TAX / 100, order.currency)
    return order.net, Decimal(0)


def sold(product: int) -> str:
    """The id of a product or service."""
    return f"14x{product_id(product)}" if product in GOODS else f"26x{FIRST_SERVICE + product}"


def order_status(order: Order) -> str:
    """The word of its picklist."""
    if order.status == "cancelled":
        return "Cancelled"
    return "Delivered" if order.is_whole else "Approved"


def edited_at(order: Order) -> int:
    """When it was last edited."""
    return max([order.at, *order.arrivals])


def _order(place: int, order: Order) -> dict[str, Any]:
    number = FIRST_ORDER + place
    net, tax = order_money(place, order)
    by_line = is_taxed_by_line(place)
    quotes = [] if order.deal is None else order.deal.quotes
    quote = next((one.id for one in quotes if one.status == "APPROVED"), None)
    row: Row = {
        "subject": f"Order {order.id}",
        "salesorder_no": order.id,
        "sostatus": order_status(order),
        "potential_id": None if order.deal is None else f"13x{order.deal.id}",
        "quote_id": None if quote is None else f"4x{quote}",
        "account_id": f"11x{order.account.id}",
        "currency_id": f"21x{CURRENCIES[order.currency]}",
        "hdnTaxType": "individual" if by_line else "group",
        "hdnSubTotal": _money(order.net + tax if by_line else order.net),
        "hdnS_H_Amount": _money(net - order.net),
        "pre_tax_total": _money(net + tax if by_line else net),
        "hdnGrandTotal": _money(net + tax),
        "createdtime": text(order.at),
        "modifiedtime": text(edited_at(order)),
    }
    lines = [
        {
            "id": f"50x{number * 100 + one.number}",
            "productid": sold(one.line.product),
            "product_name": PRODUCTS[one.line.product][0],
            "quantity": f"{one.line.quantity}.000",
            "listprice": _money(one.line.price),
            "discount_amount": _money(one.line.quantity * one.line.price - one.line.amount),
            "discount_percent": "",
            "tax1": f"{TAX}.000" if by_line else "",
        }
        for one in order.lines
    ]
    return {"number": number, "row": row, "lines": lines}


def _ticket(place: int, world: World) -> dict[str, Any]:
    one = world.goods.tickets[place]
    person = next((of for of in world.contacts if of.account is one.account), None)
    by_person = place % 2 == 1 and person is not None
    row: Row = {
        "ticket_no": one.id,
        "ticket_title": "It hums",
        "ticketstatus": "Closed" if one.solved else "In Progress" if one.answered else "Open",
        "ticketseverities": SEVERITIES[one.severity],
        "ticketpriorities": "Normal",
        "parent_id": f"11x{one.account.id}" if one.account and not by_person else None,
        "contact_id": f"12x{person.id}" if person else None,
        "createdtime": text(one.opened),
        "modifiedtime": text(one.solved or one.answered or one.opened),
    }
    return {"number": FIRST_TICKET + place, "row": row}


def _service(product: int, at: int) -> dict[str, Any]:
    row: Row = {
        "servicename": PRODUCTS[product][0],
        "unit_price": _money(Decimal(PRODUCTS[product][1])),
    }
    row |= {"createdtime": text(at), "modifiedtime": text(at)}
    return {"number": FIRST_SERVICE + product, "row": row}


def stock_columns(world: World) -> dict[int, Row]:
    """Product -> what its record says of the stock, on the day of the newest count."""
    found: dict[int, Row] = {}
    for product, counts in newest_counts(world.goods).items():
        held = sum(one.on_hand for one in counts)
        found[product] = {"qtyinstock": f"{held}.000", "modifiedtime": text(midnight(counts[0].on))}
    return found


def goods(world: World, first: int) -> dict[str, list[dict[str, Any]]]:
    """Records by module; services are as old as ``first``."""
    found = {
        "SalesOrder": [_order(place, one) for place, one in enumerate(world.goods.orders)],
        "HelpDesk": [_ticket(place, world) for place in range(len(world.goods.tickets))],
        "Services": [_service(one, first) for one in range(len(PRODUCTS)) if one not in GOODS],
    }
    plain: dict[str, Any] = {"lines": [], "is_deleted": False, "is_converted": False}
    return {
        module: [{"module": module, **plain, **one} for one in records]
        for module, records in found.items()
    }
