"""What Zoho CRM shows of goods: sales orders, the stock of the catalogue, and cases.

There are no shipments: an order is *Delivered* once all of its goods are with the customer, and
its last edit is the only date. By turns it is taxed by line, as a whole, or not; one in five has
a discount of its own, below the lines.
"""

from decimal import Decimal
from typing import NamedTuple

from sandbox.company.clock import midnight
from sandbox.company.goods import Order, newest_counts
from sandbox.company.hubspot_work import product_id
from sandbox.company.model import World
from sandbox.company.money import rounded
from sandbox.company.names import PRODUCTS
from sandbox.company.zoho_record import Row, entry, link, own_id, plain, stamp

FIRST_ORDER, FIRST_CASE = 800_000, 850_000
"""Where the numbers of these records begin, so that no other record has them."""
PRIORITIES = {"low": "Low", "normal": "Medium", "high": "High", "critical": "High"}
"""There is nothing above high."""
TAX = Decimal(19)


class Money(NamedTuple):
    """What an order comes to, in its currency."""

    discount: Decimal
    tax_of_lines: Decimal
    tax: Decimal
    gross: Decimal


def line_taxes(place: int, order: Order) -> list[Decimal]:
    """The tax of each line of the order at a place of the list."""
    rate = TAX if place % 3 == 0 else Decimal(0)
    return [rounded(one.line.amount * rate / 100, order.currency) for one in order.lines]


def order_money(place: int, order: Order) -> Money:
    """Discount, both taxes and the grand total."""
    discount = Decimal(10) if place % 5 == 1 else Decimal(0)
    of_lines = sum(line_taxes(place, order), Decimal(0))
    net = order.net - discount
    tax = rounded(net * TAX / 100, order.currency) if place % 3 == 1 else Decimal(0)
    return Money(discount, of_lines, tax, net + of_lines + tax)


def order_status(order: Order) -> str:
    """The word of its picklist."""
    if order.status == "cancelled":
        return "Cancelled"
    return "Delivered" if order.is_whole else "Created"


def edited_at(order: Order) -> int:
    """When it was last edited."""
    return max([order.at, *order.arrivals])


def line_id(place: int, number: int) -> str:
    """A line of the order at a place of the list."""
    return own_id((FIRST_ORDER + place) * 100 + number)


def _order(place: int, order: Order) -> Row:
    money = order_money(place, order)
    quotes = [] if order.deal is None else order.deal.quotes
    quote = next((one.id for one in quotes if one.status == "APPROVED"), None)
    lines = []
    for one, tax in zip(order.lines, line_taxes(place, order), strict=True):
        full = one.line.quantity * one.line.price
        product = {**(link(product_id(one.line.product)) or {})}
        lines.append(
            {
                "id": line_id(place, one.number),
                "Product_Name": {**product, "name": PRODUCTS[one.line.product][0]},
                "Quantity": one.line.quantity,
                "List_Price": plain(one.line.price),
                "Total": plain(full),
                "Discount": plain(full - one.line.amount),
                "Tax": plain(tax),
                "Net_Total": plain(one.line.amount + tax),
            }
        )
    row = {
        "Subject": f"Order {order.id}",
        "SO_Number": order.id,
        "Status": order_status(order),
        "Deal_Name": link(order.deal.id) if order.deal else None,
        "Quote_Name": link(quote),
        "Account_Name": link(order.account.id),
        "Currency": order.currency,
        "Sub_Total": plain(order.net + money.tax_of_lines),
        "Discount": plain(money.discount),
        "Tax": plain(money.tax),
        "Adjustment": 0,
        "Grand_Total": plain(money.gross),
    }
    return entry(FIRST_ORDER + place, row, order.at, edited_at(order), lines=lines)


def _case(place: int, world: World) -> Row:
    one = world.goods.tickets[place]
    person = next((of for of in world.contacts if of.account is one.account), None)
    by_person = place % 2 == 1 and person is not None
    row = {
        "Case_Number": one.id,
        "Subject": "It hums",
        "Status": "Closed" if one.solved else "Escalated" if one.answered else "New",
        "Priority": PRIORITIES[one.severity],
        "Account_Name": link(one.account.id) if one.account and not by_person else None,
        "Related_To": link(person.id) if person else None,
        "Deal_Name": link(one.deal.id) if one.deal else None,
    }
    edited = one.solved or one.answered or one.opened
    return entry(FIRST_CASE + place, row, one.opened, edited)


def stock_columns(world: World) -> dict[int, Row]:
    """Product -> what its record says of the stock, on the day of the newest count."""
    return {
        product: {
            "Qty_in_Stock": sum(one.on_hand for one in counts),
            "Qty_in_Demand": sum(one.reserved for one in counts),
            "Qty_Ordered": sum(one.inbound for one in counts),
            "Modified_Time": stamp(midnight(counts[0].on)),
        }
        for product, counts in newest_counts(world.goods).items()
    }


def goods(world: World) -> dict[str, list[Row]]:
    """Records by module."""
    return {
        "Sales_Orders": [_order(place, one) for place, one in enumerate(world.goods.orders)],
        "Cases": [_case(place, world) for place in range(len(world.goods.tickets))],
    }
