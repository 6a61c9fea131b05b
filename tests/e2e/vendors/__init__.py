"""The fictional company through every vendor at once: what a vendor's case has to say.

`tests/conftest.py` serves one company (200 deals) by every vendor named here, each as a
connection of its own, and reads, builds and publishes it once; `tests/e2e/test_every_crm.py`
and `tests/e2e/test_every_ledger.py` hold each connection's rows to the generator's truth.

A vendor is a module `tests/e2e/vendors/<source>.py` with a `CASE`, and a line in `CASES`.
What a vendor cannot know (a deal's own currency, a past stage) is said by the case where it
makes the expected rows, and listed in `docs/sources/<source>.md`.

While you work on one vendor, name it:

    PIPELEDGER_TEST_VENDORS=odoo .venv/bin/pytest tests/e2e/test_every_crm.py
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from typing import NamedTuple, TypeAlias, cast

from sandbox.company import Company
from sandbox.company.clock import business_date, instant
from sandbox.company.goods import Bill, Ticket
from sandbox.company.ledger import Invoice
from sandbox.company.model import Deal
from sandbox.company.truth_periods import Balance, balance_on
from sandbox.company.truth_sales import stays

CASES: tuple[str, ...] = (
    "chargebee",
    "fx",
    "gmail",
    "hubspot",
    "imap",
    "msgraph",
    "odoo",
    "pipedrive",
    "quickbooks",
    "salesforce",
    "stripe",
    "vtiger",
    "xero",
    "zoho",
)


@dataclass(frozen=True, slots=True)
class Served:
    """A running server of the company: the TOML of its connection and its secrets by key."""

    settings: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    errors: Callable[[], Sequence[BaseException]] = list
    """What went wrong inside the server, for the end of the test."""


class DealRow(NamedTuple):
    """A live deal as `fct_deal` shall show it; ``won_rc`` None where it is not won."""

    status: str
    stage_key: str
    owner: str
    currency: str
    amount: Decimal | None
    closed_date: date | None
    expected_close: date | None
    probability: Decimal | None
    n_reopened: int
    won_rc: Decimal | None


class InvoiceRow(NamedTuple):
    """An issued invoice as `fct_invoice` shall show it, in its own currency.

    ``status`` is open, paid or written_off; ``credited`` and ``paid`` are gross.
    """

    number: str | None
    currency: str
    status: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    balance: Decimal
    credited: Decimal
    paid: Decimal
    issue_date: date


StageEntry: TypeAlias = tuple[str, datetime]
"""A stage key and when the deal entered it."""


class CrmTruth(NamedTuple):
    """What the marts shall hold of a CRM's connection."""

    deals: Mapping[str, DealRow]
    """By deal key."""
    stays: Mapping[str, list[StageEntry]] | None
    """By deal key; None where the vendor tells no history of stages."""
    quotes: int
    lines: int
    """Of quotes and of deals."""
    leads: int
    converted_leads: int
    activities: int
    tells_loss_reasons: bool = True
    contacts: frozenset[tuple[str, str, bool]] | None = None
    """Deal key, contact key and whether it is the main one; None where no sets are read."""
    shares: Mapping[tuple[str, str, str], Decimal] | None = None
    """By deal key, credit type and person, of the deals that are shared."""


class OrderRow(NamedTuple):
    """An order as `fct_order` shall show it, in its own currency."""

    deal_key: str | None
    domain: str
    """Of the company that ordered."""
    status: str
    currency: str
    net: Decimal
    tax: Decimal
    ordered_at: datetime
    is_committed: bool


class TicketRow(NamedTuple):
    """A case as `fct_ticket` shall show it."""

    domain: str | None
    """Of the company that called."""
    deal_key: str | None
    severity: str
    n_reopened: int
    opened_at: datetime
    first_response_at: datetime | None
    solved_at: datetime | None


class GoodsTruth(NamedTuple):
    """What the marts shall hold of what follows the deal; lines and deliveries in any order."""

    orders: Mapping[str, OrderRow]
    """By order key."""
    lines: Sequence[tuple[str, str, Decimal, Decimal, Decimal, Decimal, bool]]
    """Order, product, quantity, net, delivered, still open, and whether it is ever delivered."""
    deliveries: Sequence[tuple[str, str, Decimal, datetime]]
    """Order, product, quantity and when it was there."""
    stock: Mapping[tuple[str, str], tuple[date, Decimal, Decimal | None, Decimal | None]]
    """By product and warehouse: day, on hand, reserved and inbound of the newest statement."""


class BillRow(NamedTuple):
    """A supplier's bill as `fct_bill` shall show it, in its own currency."""

    number: str
    supplier: str
    category: str
    currency: str
    status: str
    net: Decimal
    tax: Decimal
    balance: Decimal
    overpaid: Decimal
    issue_date: date
    due_date: date


@dataclass(frozen=True, slots=True)
class Case:
    """A vendor: how it serves the company, and what the marts shall then hold of it.

    The connection's name is the source's. ``crm`` and ``invoices`` are None where the
    vendor is no CRM or no billing system.
    """

    source: str
    serve: Callable[[Company], AbstractContextManager[Served]]
    crm: Callable[[Company], CrmTruth] | None = None
    invoices: Callable[[Company], Mapping[str, InvoiceRow]] | None = None
    """By invoice key."""
    balance_of: Balance = balance_on
    """What the system's books say was due on an invoice at the end of a day."""
    goods: Callable[[Company], GoodsTruth] | None = None
    tickets: Callable[[Company], Mapping[str, TicketRow]] | None = None
    """By ticket key."""
    bills: Callable[[Company], Mapping[str, BillRow]] | None = None
    """By bill key."""


def cases() -> list[Case]:
    """Every vendor's case, or those of ``PIPELEDGER_TEST_VENDORS``."""
    chosen = os.environ.get("PIPELEDGER_TEST_VENDORS")
    names = chosen.split(",") if chosen else CASES
    return [cast("Case", import_module(f"tests.e2e.vendors.{name}").CASE) for name in names]


def deal_row(
    company: Company,
    one: Deal,
    stage_key: str,
    owner: str,
    *,
    currency: str | None = None,
    amount: Decimal | None = None,
) -> DealRow:
    """The generator's truth of a deal, in ``currency`` where the vendor keeps another one.

    A deal that is kept in euro is worth its ``amount``; otherwise the deal's own amount, and
    what it was worth in euro on the day of its win.
    """
    truth = company.truth.sales.deals[one.id]
    won: Decimal | None = None
    if truth.status == "won":
        if currency is not None:
            won = amount
        elif truth.booked is not None:
            won = truth.won_home
    return DealRow(
        status=truth.status,
        stage_key=stage_key,
        owner=owner,
        currency=currency or truth.currency,
        amount=amount if currency is not None else truth.amount,
        closed_date=truth.closed_date,
        expected_close=truth.expected_close,
        probability=truth.probability,
        n_reopened=truth.n_reopened,
        won_rc=won,
    )


def second(at: int) -> datetime:
    """An instant as a vendor shows it that counts whole seconds."""
    return instant(at).replace(microsecond=0)


def stage_entries(one: Deal, stage_key: Callable[[str], str]) -> list[StageEntry]:
    """A deal's stays in order, as the generator made them."""
    return [(stage_key(stage), instant(entered)) for stage, entered, _ in stays(one)]


def activities_shown(company: Company, *kinds: str) -> int:
    """How many calls, meetings, tasks and so on the CRM still holds."""
    return sum(one.archived_at is None and one.kind in kinds for one in company.world.activities)


def expected_day(one: Deal) -> date | None:
    """The close date that stands on a deal today."""
    close = one.closes[-1].value
    return None if close is None else business_date(close)


def invoice_row(one: Invoice) -> InvoiceRow:
    """The generator's truth of an invoice; a lost dispute takes its payment back."""
    assert one.finalized is not None
    lost = sum(payment.amount for payment in one.payments if payment.dispute_lost)
    is_written_off = one.status == "uncollectible"
    return InvoiceRow(
        number=one.number,
        currency=one.currency,
        status="written_off" if is_written_off else one.status,
        net=one.amount(one.net),
        tax=one.amount(one.tax),
        gross=one.amount(one.gross),
        balance=one.amount(0 if is_written_off else one.remaining + lost),
        credited=one.amount(sum(note.gross for note in one.credits)),
        paid=one.amount(one.paid),
        issue_date=business_date(one.finalized),
    )


def ticket_row(one: Ticket, deal_key: str | None = None) -> TicketRow:
    """The generator's truth of a case for those who tell neither first answer nor turns."""
    return TicketRow(
        domain=one.account.domain if one.account else None,
        deal_key=deal_key,
        severity=one.severity,
        n_reopened=0,
        opened_at=second(one.opened),
        first_response_at=None,
        solved_at=second(one.solved) if one.solved else None,
    )


def bill_row(one: Bill) -> BillRow:
    """The generator's truth of a bill to which no more was applied than was due."""
    paid = sum((amount for _, _, amount in one.payments), Decimal(0))
    balance = Decimal(0) if one.voided else max(one.gross - paid, Decimal(0))
    return BillRow(
        number=one.id,
        supplier=one.supplier[1],
        category=one.supplier[2],
        currency=one.currency,
        status="void" if one.voided else "open" if balance else "paid",
        net=one.net,
        tax=one.tax,
        balance=balance,
        overpaid=Decimal(0),
        issue_date=one.issued,
        due_date=one.due,
    )
