"""Invoices, credits, money and the billing of deals, counted invoice by invoice."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from sandbox.company.clock import business_date, quarter
from sandbox.company.ledger import CreditNote, Invoice, Payment
from sandbox.company.model import Deal, World
from sandbox.company.money import major, share_of

ZERO = Decimal(0)
GRACE_DAYS = 30


@dataclass(slots=True)
class Flow:
    """What was billed and paid in one currency."""

    invoices: int = 0
    net: Decimal = ZERO
    tax: Decimal = ZERO
    gross: Decimal = ZERO
    net_home: Decimal = ZERO
    credit_notes: int = 0
    credited_net: Decimal = ZERO
    credited_gross: Decimal = ZERO
    credited_net_home: Decimal = ZERO
    paid: Decimal = ZERO
    refunded: Decimal = ZERO
    """Refunds that arrived; money given back outside Stripe is in ``returned_outside``."""
    returned_outside: Decimal = ZERO
    credited_to_balance: Decimal = ZERO
    taken_from_balance: Decimal = ZERO
    written_off: Decimal = ZERO
    dispute_lost: Decimal = ZERO
    dispute_open: Decimal = ZERO
    outstanding: Decimal = ZERO
    outstanding_ledger: Decimal = ZERO


Flows: TypeAlias = Callable[[int], tuple[Flow, Flow]]
"""The flows that an instant belongs to: as of today, and of its quarter."""


@dataclass(slots=True)
class BilledDeal:
    """How a deal is billed, in the deal's currency."""

    deal: str
    billing_status: str
    payment_status: str | None
    currency: str
    booked: Decimal | None
    invoiced: Decimal = ZERO
    credited: Decimal = ZERO
    paid: Decimal = ZERO
    refunded: Decimal = ZERO
    written_off: Decimal = ZERO
    outstanding: Decimal = ZERO
    invoices: list[str] = field(default_factory=list)

    @property
    def billed(self) -> Decimal:
        """Invoiced less credited."""
        return self.invoiced - self.credited


@dataclass(slots=True)
class MoneyTruth:
    """Everything about invoices."""

    total: dict[str, Flow] = field(default_factory=dict)
    """By currency, as of today."""
    quarters: dict[tuple[str, str], Flow] = field(default_factory=dict)
    """By fiscal quarter of the issue, credit, payment or refund date, and currency."""
    deals: dict[str, BilledDeal] = field(default_factory=dict)
    links: dict[str, list[tuple[str, Decimal, int]]] = field(default_factory=dict)
    """Billed invoice -> (deal, net, method of marts.md 2.7)."""
    unlinked: dict[str, str] = field(default_factory=dict)
    """Billed invoice -> recurring_follow_up, self_serve or unmatched."""
    candidates: dict[str, str] = field(default_factory=dict)
    """Invoice -> deal that only the mail domain hints at; not accepted."""
    by_stripe_status: dict[str, int] = field(default_factory=dict)

    @property
    def by_status(self) -> dict[str, int]:
        """Deals per billing status."""
        counts: dict[str, int] = {}
        for one in self.deals.values():
            counts[one.billing_status] = counts.get(one.billing_status, 0) + 1
        return dict(sorted(counts.items()))


def count_money(world: World) -> MoneyTruth:
    """Count all invoices at the world's today."""
    found = MoneyTruth()
    of_deal: dict[str, list[tuple[Invoice, int]]] = {}
    for invoice in world.books.invoices:
        status = invoice.status
        found.by_stripe_status[status] = found.by_stripe_status.get(status, 0) + 1
        if not invoice.is_billed:
            continue
        _count_invoice(world, found, invoice)
        for link in invoice.links:
            of_deal.setdefault(link.deal.id, []).append((invoice, link.net))
        if invoice.links:
            found.links[invoice.id] = [
                (link.deal.id, invoice.amount(link.net), link.method) for link in invoice.links
            ]
        else:
            found.unlinked[invoice.id] = invoice.unlinked_class or "unmatched"
        if invoice.candidate_for:
            found.candidates[invoice.id] = invoice.candidate_for.id
    for deal in world.deals:
        shares = of_deal.get(deal.id, [])
        if shares or (deal.wins and deal.archived_at is None):
            found.deals[deal.id] = _count_deal(world, deal, shares)
    return found


def _count_invoice(world: World, found: MoneyTruth, one: Invoice) -> None:
    def flows(at: int) -> tuple[Flow, Flow]:
        key = (quarter(business_date(at)), one.currency)
        return (
            found.total.setdefault(one.currency, Flow()),
            found.quarters.setdefault(key, Flow()),
        )

    issued = one.finalized or one.created
    issue_date = business_date(issued)
    money = one.amount
    for flow in flows(issued):
        flow.invoices += 1
        flow.net += money(one.net)
        flow.tax += money(one.tax)
        flow.gross += money(one.gross)
        flow.net_home += world.rates.to_home(money(one.net), one.currency, issue_date)
        flow.taken_from_balance += money(one.from_balance)
    for payment in one.payments:
        _count_payment(one, payment, flows)
    for note in one.credits:
        net_home = world.rates.to_home(money(note.net), one.currency, issue_date)
        _count_credit(one, note, net_home, flows)
    lost = sum(payment.amount for payment in one.payments if payment.dispute_lost)
    total = found.total[one.currency]
    if one.status == "uncollectible":
        for flow in flows(one.written_off_at or issued):
            flow.written_off += money(one.remaining)
    else:
        total.outstanding += money(one.remaining)
        total.outstanding_ledger += money(one.remaining + lost)


def _count_payment(one: Invoice, payment: Payment, flows: Flows) -> None:
    amount = one.amount(payment.amount)
    for flow in flows(payment.at):
        flow.paid += amount
    if payment.dispute:
        for flow in flows(payment.dispute_at):
            if payment.dispute_lost:
                flow.dispute_lost += amount
            else:
                flow.dispute_open += amount


def _count_credit(one: Invoice, note: CreditNote, net_home: Decimal, flows: Flows) -> None:
    for flow in flows(note.at):
        flow.credit_notes += 1
        flow.credited_net += one.amount(note.net)
        flow.credited_gross += one.amount(note.gross)
        flow.credited_net_home += net_home
        if note.way == "balance":
            flow.credited_to_balance += one.amount(note.gross)
        elif note.way == "outside":
            flow.returned_outside += one.amount(note.gross)
    if note.refund:
        for flow in flows(note.refund.at):
            flow.refunded += one.amount(note.refund.amount)


def _share(amount: int, net: int, invoice: Invoice) -> int:
    return amount if net == invoice.net else share_of(amount, net, invoice.net)


def _count_deal(world: World, deal: Deal, shares: list[tuple[Invoice, int]]) -> BilledDeal:
    booked = deal.booked if deal.status == "won" and deal.archived_at is None else ZERO
    one = BilledDeal(deal.id, "", None, deal.currency, booked)
    for invoice, net in shares:

        def part(units: int, invoice: Invoice = invoice, net: int = net) -> Decimal:
            return major(_share(units, net, invoice), invoice.currency)

        one.invoices.append(invoice.id)
        one.invoiced += major(net, invoice.currency)
        one.credited += part(sum(note.net for note in invoice.credits))
        one.paid += part(invoice.paid)
        returned = sum(note.gross for note in invoice.credits if note.way in {"refund", "outside"})
        one.refunded += part(returned)
        if invoice.status == "uncollectible":
            one.written_off += part(invoice.remaining)
        else:
            one.outstanding += part(invoice.remaining)
    one.billing_status = _billing_status(world, deal, one)
    one.payment_status = _payment_status(world, one, [invoice for invoice, _ in shares])
    return one


def _billing_status(world: World, deal: Deal, one: BilledDeal) -> str:
    """The first rule of marts.md 2.7 that fits."""
    booked = one.booked or ZERO
    tolerance = max(Decimal("1.00"), booked * 5 / 1000)
    billed = one.billed
    won = business_date(deal.wins[-1]) if deal.wins else None
    in_grace = won is not None and (business_date(world.today) - won).days <= GRACE_DAYS
    expected = ZERO if in_grace else booked
    rules = (
        ("orphaned", deal.archived_at is not None and billed != 0),
        ("billed_not_won", deal.status != "won" and abs(billed) > tolerance),
        ("not_billable", one.booked == 0 and abs(billed) <= tolerance),
        ("unbilled_in_grace", not one.invoices and in_grace),
        ("unbilled_late", not one.invoices),
        ("reversed", one.invoiced > tolerance and billed <= tolerance),
        ("over_billed", billed > booked + tolerance),
        ("fully_billed", abs(billed - booked) <= tolerance),
        ("partly_billed_on_plan", billed >= expected - tolerance),
    )
    return next((status for status, fits in rules if fits), "partly_billed_behind")


def _payment_status(world: World, one: BilledDeal, invoices: list[Invoice]) -> str | None:
    if not invoices:
        return None
    payments = [payment for invoice in invoices for payment in invoice.payments]
    if any(payment.dispute for payment in payments):
        return "disputed"
    if any(invoice.status == "uncollectible" for invoice in invoices):
        return "written_off"
    if one.paid > 0 and one.refunded >= one.paid:
        return "refunded"
    if one.outstanding == 0:
        return "paid"
    if one.paid > 0:
        return "part_paid"
    today = business_date(world.today)
    overdue = any(
        invoice.remaining and business_date(invoice.due or invoice.finalized or 0) < today
        for invoice in invoices
    )
    return "unpaid" if overdue else "not_due"
