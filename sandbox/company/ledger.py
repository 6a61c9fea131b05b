"""What billing really did: customers, invoices, payments, credits. Whole minor units.

``stripe`` renders these as Stripe's objects, ``truth`` adds them up. An invoice knows
which deals it bills and by which evidence (``links``), which no vendor ever says.
"""

import random
from dataclasses import dataclass, field
from decimal import Decimal

from sandbox.company.model import Account, Deal
from sandbox.company.money import major

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def vendor_id(rng: random.Random, prefix: str) -> str:
    """An id of Stripe's form: prefix and random letters and digits."""
    return f"{prefix}_1{''.join(rng.choices(ALPHABET, k=17))}"


@dataclass(slots=True)
class Customer:
    """A paying customer in one currency; ``company_ref`` is the CRM company it names."""

    id: str
    name: str
    email: str
    country: str
    currency: str
    created: int
    account: Account | None = None
    company_ref: str | None = None
    balance: int = 0


@dataclass(slots=True)
class BilledLine:
    """A line: ``net`` after discount and without tax; ``deal_ref`` names its own deal."""

    id: str
    net: int
    discount: int
    tax: int
    product: int
    text: str
    start: int
    end: int
    quantity: int = 1
    deal_ref: str | None = None


@dataclass(slots=True)
class Payment:
    """Money for an invoice: a charge, or money from outside Stripe."""

    id: str
    at: int
    amount: int
    outside: bool
    intent: str
    charge: str
    refunded: int = 0
    dispute: str | None = None
    dispute_at: int = 0
    dispute_lost: bool = False


@dataclass(slots=True)
class Refund:
    """Money given back; a failed one never arrived."""

    id: str
    at: int
    amount: int
    payment: Payment
    failed: bool = False


@dataclass(slots=True)
class CreditNote:
    """A credit on an invoice. ``way``: due, refund, balance or outside.

    ``due`` lowers what is still due; the others come after payment and give it back.
    """

    id: str
    number: str
    at: int
    net: int
    tax: int
    way: str
    reason: str
    refund: Refund | None = None

    @property
    def gross(self) -> int:
        """Net and tax."""
        return self.net + self.tax


@dataclass(slots=True)
class Subscription:
    """A subscription at a price a month; ``deal_ref`` stands in its metadata."""

    id: str
    customer: Customer
    created: int
    monthly: int
    product: int
    deal_ref: str | None = None
    canceled_at: int | None = None


@dataclass(slots=True)
class Link:
    """An invoice bills a deal: how much of its net, by which method of marts.md 2.7."""

    deal: Deal
    net: int
    method: int


@dataclass(slots=True)
class Invoice:
    """An invoice with all that happened to it."""

    id: str
    number: str | None
    customer: Customer
    currency: str
    created: int
    finalized: int | None
    due: int | None
    lines: list[BilledLine]
    kind: str = "standard"
    reason: str = "manual"
    tax_inclusive: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    po_number: str | None = None
    description: str | None = None
    subscription: Subscription | None = None
    subscription_note: dict[str, str] = field(default_factory=dict)
    quote_id: str | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    payments: list[Payment] = field(default_factory=list)
    credits: list[CreditNote] = field(default_factory=list)
    from_balance: int = 0
    voided_at: int | None = None
    written_off_at: int | None = None
    links: list[Link] = field(default_factory=list)
    unlinked_class: str | None = None
    candidate_for: Deal | None = None
    plan: str = "usual"

    @property
    def net(self) -> int:
        """Without tax, after discounts."""
        return sum(line.net for line in self.lines)

    @property
    def tax(self) -> int:
        """All tax."""
        return sum(line.tax for line in self.lines)

    @property
    def gross(self) -> int:
        """Stripe's ``total``."""
        return self.net + self.tax

    @property
    def paid(self) -> int:
        """Money received, in Stripe or outside."""
        return sum(payment.amount for payment in self.payments)

    @property
    def lowered(self) -> int:
        """Credits that lowered what was due."""
        return sum(note.gross for note in self.credits if note.way == "due")

    @property
    def remaining(self) -> int:
        """Stripe's ``amount_remaining``."""
        return self.gross - self.from_balance - self.lowered - self.paid

    @property
    def status(self) -> str:
        """Stripe's word: draft, open, paid, uncollectible or void."""
        if self.finalized is None:
            return "draft"
        if self.voided_at is not None:
            return "void"
        if self.remaining == 0:
            return "paid"
        return "open" if self.written_off_at is None else "uncollectible"

    @property
    def paid_at(self) -> int | None:
        """When nothing was due any more."""
        if self.status != "paid" or self.finalized is None:
            return None
        moments = [payment.at for payment in self.payments]
        moments += [note.at for note in self.credits if note.way == "due"]
        return max(moments, default=self.finalized)

    @property
    def is_billed(self) -> bool:
        """Issued and not void: what counts as billed today."""
        return self.status in {"open", "paid", "uncollectible"}

    def amount(self, units: int) -> Decimal:
        """Minor units of this invoice's currency as an amount."""
        return major(units, self.currency)


@dataclass(slots=True)
class BilledQuote:
    """A quote drawn up in Stripe, its metadata naming the deal."""

    id: str
    customer: Customer
    deal_ref: str
    invoice: Invoice
    created: int


@dataclass(slots=True)
class BalanceMove:
    """A change of a customer's credit balance; negative is credit to the customer."""

    id: str
    customer: Customer
    at: int
    amount: int
    ending: int
    kind: str
    invoice: str | None = None
    credit_note: str | None = None


@dataclass(slots=True)
class Books:
    """Everything billing holds."""

    customers: list[Customer] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    quotes: list[BilledQuote] = field(default_factory=list)
    balance_moves: list[BalanceMove] = field(default_factory=list)
    failed_refunds: list[Refund] = field(default_factory=list)
