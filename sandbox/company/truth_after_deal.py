"""What became of won deals and customers after the deal, counted from the world itself.

Business days are Monday to Friday: the demo's company closes on no other day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from sandbox.company.clock import business_date
from sandbox.company.goods import Order, OrderLine
from sandbox.company.model import Deal, World
from sandbox.company.truth_money import BilledDeal

STEPS = ("order", "delivery", "invoice", "payment")
SETTLED = {"fully_billed", "over_billed"}


@dataclass(slots=True)
class WonDeal:
    """How far a won deal is on its way to the money; lags by step, None while unfinished."""

    lags: dict[str, int | None]
    waits: dict[str, int | None]
    ended: dict[str, date | None]
    orders: int
    delivered_share: float | None
    billed_before_delivered: bool
    delivered_not_billed: bool
    stuck: str | None = None


@cache
def day_number(day: date) -> int:
    """Business days up to and with a day."""
    first = date(2020, 1, 6)
    weeks, rest = divmod((day - first).days, 7)
    return weeks * 5 + min(rest, 4)


def between(first: date | None, last: date | None) -> int | None:
    """Business days from one day to another; None where either is not known."""
    return None if first is None or last is None else day_number(last) - day_number(first)


def arrived(line: OrderLine) -> int:
    """What is with the customer today."""
    return sum(sent.quantity for sent in line.shipments if sent.arrived is not None)


def complete_since(line: OrderLine) -> int | None:
    """Since when the whole line has been with the customer; None while something is missing."""
    held, since = 0, None
    for sent in sorted(line.shipments, key=lambda one: one.arrived or 0):
        if sent.arrived is not None:
            held += sent.quantity
            since = None if held < line.line.quantity else since or sent.arrived
    return since


def count_won_deals(world: World, billed: Mapping[str, BilledDeal]) -> dict[str, WonDeal]:
    """Deal id -> how far it is, with the step in which it is stuck."""
    won = [deal for deal in world.live_deals if deal.status == "won"]
    orders: dict[str, list[Order]] = {}
    for order in world.goods.orders:
        if order.deal is not None and order.status != "cancelled":
            orders.setdefault(order.deal.id, []).append(order)
    begun: dict[str, date] = {}
    for deal in won:
        for order in orders.get(deal.id, ()):
            day = business_date(order.at)
            begun[deal.pipeline.id] = min(day, begun.get(deal.pipeline.id, day))
    found = {
        deal.id: _count(world, deal, orders.get(deal.id, []), begun, billed.get(deal.id))
        for deal in won
    }
    _judge(found, business_date(world.today))
    return found


def _count(
    world: World,
    deal: Deal,
    orders: list[Order],
    begun: Mapping[str, date],
    billed: BilledDeal | None,
) -> WonDeal:
    today, won = business_date(world.today), business_date(deal.wins[-1])
    ordered = min((business_date(order.at) for order in orders), default=None)
    lines = [line for order in orders for line in order.lines if line.is_goods]
    firsts = [sent.arrived for line in lines for sent in line.shipments if sent.arrived is not None]
    wholes = [complete_since(line) for line in lines]
    first = business_date(min(firsts)) if firsts else None
    complete = [since for since in wholes if since is not None]
    whole = business_date(max(complete)) if lines and len(complete) == len(wholes) else None
    invoices = [one for one in world.books.invoices if billed and one.id in billed.invoices]
    invoiced = min((business_date(one.finalized or 0) for one in invoices), default=None)
    paid = None
    if billed and billed.billing_status in SETTLED and billed.payment_status == "paid":
        moments = [payment.at for one in invoices for payment in one.payments]
        paid = business_date(max(moments)) if moments else None
    from_day = whole if lines else ordered or won
    expected = bool(orders) or won >= begun.get(deal.pipeline.id, date.max)
    # A lost dispute opens the balance again.
    is_due = (billed is not None and billed.outstanding > 0) or any(
        payment.dispute_lost for one in invoices for payment in one.payments
    )
    value = sum((line.line.amount for line in lines), Decimal(0))
    held = sum(
        (
            line.line.amount * min(arrived(line), line.line.quantity) / line.line.quantity
            for line in lines
        ),
        Decimal(0),
    )
    return WonDeal(
        lags={
            "order": between(won, ordered),
            "delivery": between(ordered, whole),
            "invoice": between(from_day, invoiced),
            "payment": between(invoiced, paid),
        },
        waits={
            "order": between(won, today) if expected and not (ordered or invoiced) else None,
            "delivery": between(ordered, today) if lines and not whole else None,
            "invoice": between(from_day, today)
            if not invoiced and (ordered or not expected)
            else None,
            "payment": between(invoiced, today) if is_due and not paid else None,
        },
        ended={"order": ordered, "delivery": whole, "invoice": invoiced, "payment": paid},
        orders=len(orders),
        delivered_share=round(float(held / value), 9) if value else None,
        billed_before_delivered=bool(lines and invoiced and (first is None or invoiced < first)),
        delivered_not_billed=bool(first and not invoiced),
    )


def _judge(deals: Mapping[str, WonDeal], today: date) -> None:
    """Set the first step that runs for longer than nine of ten took in the last year."""
    limits = {}
    for step in STEPS:
        took = sorted(
            lag
            for one in deals.values()
            if (lag := one.lags[step]) is not None
            and (ended := one.ended[step]) is not None
            and today - timedelta(days=365) < ended <= today
        )
        limits[step] = took[-(-len(took) * 9 // 10) - 1] if took else None
    for one in deals.values():
        for step in STEPS:
            wait, limit = one.waits[step], limits[step]
            if one.stuck is None and wait is not None and limit is not None and wait > limit:
                one.stuck = step
