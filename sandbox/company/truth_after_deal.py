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
            line.line.amount * min(line.arrived, line.line.quantity) / line.line.quantity
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


@dataclass(slots=True)
class Service:
    """The cases of one company in one month."""

    opened: int = 0
    solved: int = 0
    reopened: int = 0
    open_grave: int = 0
    open_other: int = 0


def count_bills(world: World) -> dict[str, tuple[str, Decimal, Decimal]]:
    """Bill -> its status, what is still to be paid of it, and what was paid too much."""
    found = {}
    for bill in world.goods.bills:
        paid = sum((amount for _, _, amount in bill.payments), Decimal(0))
        if bill.voided is not None:
            found[bill.id] = ("void", Decimal(0), paid)
        else:
            rest = bill.gross - paid
            status = "open" if rest > 0 else "paid"
            found[bill.id] = (status, max(rest, Decimal(0)), max(-rest, Decimal(0)))
    return found


def expect_payments(world: World, day: date) -> dict[tuple[date, str], Decimal]:
    """(Monday, currency) -> what was to be paid to suppliers, as it stood before a day."""
    found: dict[tuple[date, str], Decimal] = {}
    for bill in world.goods.bills:
        paid = sum((amount for _, on, amount in bill.payments if on < day), Decimal(0))
        if bill.issued < day and (bill.voided is None or bill.voided >= day) and paid < bill.gross:
            due = max(bill.due, day)
            key = (due - timedelta(days=due.weekday()), bill.currency)
            found[key] = found.get(key, Decimal(0)) + bill.gross - paid
    return found


def count_stock(world: World) -> dict[int, int]:
    """Product -> what the newest counts of all warehouses say lies there."""
    newest = {
        (one.product, one.warehouse): one
        for one in sorted(world.goods.stock, key=lambda one: one.on)
    }
    found: dict[int, int] = {}
    for one in newest.values():
        found[one.product] = found.get(one.product, 0) + one.on_hand
    return found


def count_committed(world: World) -> dict[int, int]:
    """Product -> what orders still owe of it; of deals whose order is to come nothing is here."""
    found: dict[int, int] = {}
    for order in world.goods.orders:
        for line in order.lines:
            owed = line.line.quantity - line.arrived
            if line.is_goods and order.status != "cancelled" and owed > 0:
                found[line.line.product] = found.get(line.line.product, 0) + owed
    return found


def count_service(world: World) -> dict[tuple[str, str], Service]:
    """(company or "unknown", month as 2026-09) -> its cases; months without any are left out."""
    today = business_date(world.today)
    found: dict[tuple[str, str], Service] = {}
    for ticket in world.goods.tickets:
        account = ticket.account or (ticket.deal.account if ticket.deal else None)
        company = world.survivor("companies", account.id) if account else "unknown"
        opened = business_date(ticket.opened)
        solved = business_date(ticket.solved) if ticket.solved else None
        day = opened.replace(day=1)
        while day <= today:
            one = found.setdefault((company, f"{day:%Y-%m}"), Service())
            after = (day + timedelta(days=32)).replace(day=1)
            one.opened += day <= opened < after
            one.reopened += day <= opened < after and ticket.reopened > 0
            if solved is not None and day <= solved < after:
                one.solved += 1
            if solved is None or solved >= after:
                if ticket.severity in {"high", "critical"}:
                    one.open_grave += 1
                else:
                    one.open_other += 1
            day = after
    return {
        key: one
        for key, one in found.items()
        if one.opened or one.solved or one.open_grave or one.open_other
    }
