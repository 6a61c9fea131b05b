"""What comes after the deal: orders, shipments, stock, service cases and suppliers' bills.

Drawn from a random stream of its own, over deals and accounts that stand: nothing else of
the company moves. Partial, late, surplus and returned shipments, cancelled orders, an order
without a deal, stock below nothing, a product that no count names, cases taken up again and
bills paid in parts or twice are there at every size of the company.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from sandbox.company.clock import DAY, HOUR, business_date, local
from sandbox.company.model import Account, Deal, Line, World

GOODS = (0, 1, 4, 5)
"""The products that are shipped; the others are services."""
UNCOUNTED = 5
"""The product that no count of the stock names."""
WAREHOUSES = ("BER", "HAM")
SUPPLIERS = (
    ("S-1", "Kabel & Co", "goods"),
    ("S-2", "Rechenzentrum Nord", "hosting"),
    ("S-3", "Bürohaus Elbe", "rent"),
)
SEVERITIES = ("low", "normal", "normal", "high", "critical")


@dataclass(slots=True)
class Shipment:
    """One line's part of a shipment; a negative quantity came back."""

    id: str
    quantity: int
    shipped: int
    arrived: int | None
    promised: date
    warehouse: str = "BER"


@dataclass(slots=True)
class OrderLine:
    """A line of an order, as the deal's line says."""

    number: int
    line: Line
    shipments: list[Shipment] = field(default_factory=list)

    @property
    def is_goods(self) -> bool:
        """Whether it is shipped at all."""
        return self.line.product in GOODS

    @property
    def arrived(self) -> int:
        """What is with the customer today."""
        return sum(sent.quantity for sent in self.shipments if sent.arrived is not None)


@dataclass(slots=True)
class Order:
    """An order of a customer; without a deal where nobody noted one."""

    id: str
    account: Account
    deal: Deal | None
    currency: str
    at: int
    status: str
    lines: list[OrderLine]

    @property
    def net(self) -> Decimal:
        """Sum of the lines."""
        return sum((one.line.amount for one in self.lines), Decimal(0))

    @property
    def arrivals(self) -> list[int]:
        """When anything of it arrived or came back, ascending."""
        moments = {sent.arrived for line in self.lines for sent in line.shipments}
        return sorted(moment for moment in moments if moment is not None)

    @property
    def is_whole(self) -> bool:
        """Whether all goods of it are with the customer; not so without goods."""
        goods = [line for line in self.lines if line.is_goods]
        return bool(goods) and all(line.arrived >= line.line.quantity for line in goods)


@dataclass(frozen=True, slots=True)
class Count:
    """What lay in a warehouse on a day, by a count of the stock."""

    product: int
    warehouse: str
    on: date
    on_hand: int
    reserved: int
    inbound: int


@dataclass(slots=True)
class Ticket:
    """A case of after-sales service; ``account`` is None where nobody said who called."""

    id: str
    account: Account | None
    deal: Deal | None
    severity: str
    opened: int
    answered: int | None
    solved: int | None
    reopened: int


@dataclass(slots=True)
class Bill:
    """A supplier's invoice in euro or dollars, and (id, day, amount) of what was paid of it."""

    id: str
    supplier: tuple[str, str, str]
    currency: str
    net: Decimal
    tax: Decimal
    issued: date
    due: date
    voided: date | None = None
    payments: list[tuple[str, date, Decimal]] = field(default_factory=list)

    @property
    def gross(self) -> Decimal:
        """What is to be paid."""
        return self.net + self.tax


@dataclass(slots=True)
class Goods:
    """All of it."""

    orders: list[Order] = field(default_factory=list)
    stock: list[Count] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)


def newest_counts(goods: Goods) -> dict[int, list[Count]]:
    """Product -> the counts of the last day on which anything was counted, of all warehouses."""
    last = max((one.on for one in goods.stock), default=None)
    found: dict[int, list[Count]] = {}
    for one in goods.stock:
        if one.on == last:
            found.setdefault(one.product, []).append(one)
    return found


def deliver_goods(world: World) -> Goods:
    """Take orders for what was won in the last year, ship them, and look after the customers."""
    rng = random.Random(f"{world.seed}:goods")
    goods = Goods()
    won = [
        deal
        for deal in world.live_deals
        if deal.status == "won" and deal.lines and world.today - deal.wins[-1] < 400 * DAY
    ]
    for deal in won:
        if rng.random() < 0.85:
            goods.orders.append(_order(world, rng, deal, len(goods.orders)))
    if goods.orders:
        goods.orders[-1].deal = None
    goods.stock = _count_stock(world, rng)
    _take_calls(world, rng, goods, won)
    _take_bills(world, rng, goods)
    return goods


def _working(day: date) -> date:
    """The day, or the Monday after it."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def _order(world: World, rng: random.Random, deal: Deal, number: int) -> Order:
    day = _working(business_date(deal.wins[-1]) + timedelta(days=rng.choice((0, 1, 1, 2, 3, 6))))
    at = min(local(day, rng.randint(8, 16), rng.randrange(60)), world.today - HOUR)
    at = max(at, deal.wins[-1])
    order = Order(
        f"SO-{1001 + number}",
        deal.account,
        deal,
        deal.currency,
        at,
        "cancelled" if number % 29 == 7 else rng.choice(("confirmed", "confirmed", "done")),
        [OrderLine(place, line) for place, line in enumerate(deal.lines, 1)],
    )
    way = ("whole", "whole", "whole", "parts", "first part", "surplus", "back", "none")[number % 8]
    for line in order.lines:
        if line.is_goods and order.status != "cancelled":
            _ship(world, rng, order, line, way)
    return order


def _ship(world: World, rng: random.Random, order: Order, line: OrderLine, way: str) -> None:
    """Send out a line: whole, in parts, too much, or so that some comes back."""
    quantity, day = line.line.quantity, business_date(order.at)
    promised = _working(day + timedelta(days=rng.randint(5, 12)))
    first = max(1, quantity // 2)
    steps = {
        "whole": [quantity],
        "parts": [first, quantity - first] if quantity > 1 else [quantity],
        "first part": [first] if quantity > 1 else [],
        "surplus": [quantity + 1],
        "back": [quantity, -1],
        "none": [],
    }[way]
    for place, step in enumerate(steps, 1):
        # One in four leaves late.
        day = _working(day + timedelta(days=rng.choice((2, 3, 5, 16))))
        shipped = local(day, rng.randint(8, 15), rng.randrange(60))
        if shipped >= world.today:
            break
        arrived: int | None = local(_working(day + timedelta(days=rng.choice((1, 2)))), 11)
        if arrived is not None and arrived >= world.today:
            arrived = None
        number = f"{order.id}-{line.number}-{place}"
        line.shipments.append(
            Shipment(number, step, shipped, arrived, promised, rng.choice(WAREHOUSES))
        )


def _count_stock(world: World, rng: random.Random) -> list[Count]:
    """Two counts of each warehouse; one of them sold more than it had."""
    today = business_date(world.today)
    counts = []
    for days in (30, 2):
        for product in GOODS:
            if product == UNCOUNTED:
                continue
            for warehouse in WAREHOUSES:
                on_hand = rng.randint(3, 60)
                if product == GOODS[2] and warehouse == WAREHOUSES[1] and days == 2:
                    on_hand = -4
                reserved, inbound = rng.randint(0, 5), rng.choice((0, 0, 20))
                on = today - timedelta(days=days)
                counts.append(Count(product, warehouse, on, on_hand, reserved, inbound))
    return counts


def _take_calls(world: World, rng: random.Random, goods: Goods, won: list[Deal]) -> None:
    """One case for every third won deal, at times by night; some are taken up again."""
    for number, deal in enumerate(won[::3]):
        opened = min(deal.wins[-1] + rng.randint(2, 90) * DAY, world.today - 3 * HOUR)
        opened -= rng.randint(0, 23) * HOUR
        answered: int | None = opened + rng.randint(1, 70) * HOUR
        solved: int | None = opened + rng.randint(80, 500) * HOUR
        if answered is not None and answered >= world.today:
            answered = None
        if solved is not None and (solved >= world.today or number % 5 == 4):
            solved = None
        goods.tickets.append(
            Ticket(
                f"T-{501 + number}",
                None if number % 17 == 11 else deal.account,
                deal if number % 2 else None,
                rng.choice(SEVERITIES),
                opened,
                answered,
                solved,
                rng.choice((0, 0, 0, 1, 2)) if number % 5 else 0,
            )
        )


def _take_bills(world: World, rng: random.Random, goods: Goods) -> None:
    """A bill per supplier and month of the last year; most are paid some days late."""
    today = business_date(world.today)
    for number in range(max(36, round(60 * world.scale))):
        supplier = SUPPLIERS[number % len(SUPPLIERS)]
        issued = today - timedelta(days=rng.randint(1, 380))
        net = Decimal(rng.randint(20_000, 900_000)).scaleb(-2)
        tax = (net * 19 / 100).quantize(Decimal("0.01"))
        due = issued + timedelta(days=(14, 45, 60)[number % 3])
        bill = Bill(
            f"B-{3001 + number}",
            supplier,
            "USD" if number % 7 == 3 else "EUR",
            net,
            tax,
            issued,
            due,
        )
        goods.bills.append(bill)
        paid = due + timedelta(days=rng.randint(-4, 9))
        if number % 11 == 5:
            bill.voided = min(issued + timedelta(days=3), today)
        elif number % 11 == 6:
            bill.payments = [(f"P-{number}-1", paid, (net / 2).quantize(Decimal("0.01")))]
        elif number % 11 == 7:
            bill.payments = [(f"P-{number}-{time}", paid, bill.gross) for time in (1, 2)]
        elif number % 11 != 8:
            bill.payments = [(f"P-{number}-1", paid, bill.gross)]
        bill.payments = [one for one in bill.payments if one[1] <= today]
