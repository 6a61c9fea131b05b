"""How invoices end: paid, paid in parts, from the balance, credited, written off, disputed."""

import random

from sandbox.company.clock import DAY, HOUR
from sandbox.company.ledger import (
    BalanceMove,
    Books,
    CreditNote,
    Customer,
    Invoice,
    Payment,
    Refund,
    vendor_id,
)
from sandbox.company.model import World
from sandbox.company.money import share_of


class Collector:
    """Goes through the invoices in order of issue and lets their plans happen."""

    def __init__(self, world: World, books: Books, rng: random.Random) -> None:
        self.world = world
        self.books = books
        self.rng = rng
        self.end = world.today - 13 * HOUR
        self.notes = 0
        self.waiting: dict[str, list[BalanceMove]] = {}

    def new_id(self, prefix: str) -> str:
        """An id of Stripe's form."""
        return vendor_id(self.rng, prefix)

    def collect(self) -> None:
        """Number the invoices and settle them, oldest first."""
        self.books.invoices.sort(key=lambda one: (one.finalized or one.created, one.id))
        number = 0
        for invoice in self.books.invoices:
            if invoice.finalized is None:
                continue
            number += 1
            invoice.number = f"NL7A21C4-{number:05d}"
            if invoice.voided_at is None:
                self.settle(invoice)
        for moves in self.waiting.values():
            balance = 0
            for move in sorted(moves, key=lambda one: one.at):
                balance += move.amount
                move.ending = balance

    def settle(self, invoice: Invoice) -> None:
        """Let the invoice's plan happen."""
        issued = invoice.finalized or 0
        if invoice.plan == "usual":
            self.use_balance(invoice)
            self.pay_as_usual(invoice, issued)
            return
        if invoice.plan == "written_off":
            self.write_off(invoice, issued)
        elif invoice.plan.startswith("dispute"):
            self.dispute(invoice, issued)
        elif invoice.plan.startswith("credit"):
            _, percent, way = invoice.plan.split("_")
            self.credit(invoice, issued, int(percent), way)

    # --- money in ----------------------------------------------------------

    def pay(self, invoice: Invoice, amount: int, at: int, *, outside: bool = False) -> Payment:
        """One payment on an invoice."""
        payment = Payment(
            self.new_id("inpay"),
            at,
            amount,
            outside,
            "" if outside else self.new_id("pi"),
            "" if outside else self.new_id("ch"),
        )
        invoice.payments.append(payment)
        return payment

    def pay_as_usual(self, invoice: Invoice, issued: int) -> None:
        """Most pay within two months, some in two parts, some outside Stripe, some not yet."""
        rng, due = self.rng, invoice.remaining
        if due <= 0:
            return
        if invoice.due is None:
            at = issued + HOUR
            if rng.random() < 0.02:
                at += 6 * DAY
            if at < self.end:
                self.pay(invoice, due, at)
            return
        outside = rng.random() < 0.06
        at = (
            issued
            + rng.randint(4, 34 if rng.random() < 0.75 else 75) * DAY
            + rng.randint(0, 9) * HOUR
        )
        if rng.random() < 0.12 and due > 1_000:
            part = share_of(due, rng.randint(25, 60), 100)
            later = at + rng.randint(8, 60) * DAY
            if at < self.end:
                self.pay(invoice, part, at, outside=outside)
                self.world.mark("paid_in_parts", invoice.id)
            if later < self.end:
                self.pay(invoice, due - part, later, outside=outside)
            return
        if at < self.end:
            self.pay(invoice, due, at, outside=outside)
            if outside:
                self.world.mark("paid_outside", invoice.id)

    def use_balance(self, invoice: Invoice) -> None:
        """Stripe takes a customer's credit balance into the next invoice by itself."""
        issued = invoice.finalized or 0
        customer = invoice.customer
        credit = -sum(move.amount for move in self.waiting.get(customer.id, ()) if move.at < issued)
        used = min(credit, invoice.gross)
        if used > 0:
            invoice.from_balance = used
            self.move(customer, issued, used, "applied_to_invoice", invoice=invoice.id)
            self.world.mark("paid_from_balance", invoice.id)

    def move(
        self,
        customer: Customer,
        at: int,
        amount: int,
        kind: str,
        *,
        invoice: str | None = None,
        credit_note: str | None = None,
    ) -> None:
        """Change a customer's balance; negative is in the customer's favour."""
        earlier = self.waiting.setdefault(customer.id, [])
        customer.balance += amount
        one = BalanceMove(
            self.new_id("cbtxn"), customer, at, amount, customer.balance, kind, invoice, credit_note
        )
        earlier.append(one)
        self.books.balance_moves.append(one)

    # --- what goes wrong ---------------------------------------------------

    def write_off(self, invoice: Invoice, issued: int) -> None:
        """Half paid or not at all, and then given up."""
        at = issued + self.rng.randint(120, 200) * DAY
        if self.rng.random() < 0.4 and issued + 30 * DAY < self.end:
            self.pay(invoice, share_of(invoice.gross, 2, 5), issued + 30 * DAY)
        if at < self.end:
            invoice.written_off_at = at
            self.world.mark("written_off", invoice.id)

    def dispute(self, invoice: Invoice, issued: int) -> None:
        """Paid by card, then contested: lost, or still open."""
        at = issued + 10 * DAY
        if at + 8 * DAY > self.end:
            return
        payment = self.pay(invoice, invoice.gross, at)
        payment.dispute = self.new_id("dp")
        payment.dispute_at = at + 7 * DAY
        payment.dispute_lost = invoice.plan == "dispute_lost"
        self.world.mark(invoice.plan, invoice.id)

    def credit(self, invoice: Invoice, issued: int, percent: int, way: str) -> None:
        """A credit note over a share of the invoice; 0 stands for 0.2 per cent."""
        rng = self.rng
        at = issued + rng.randint(16, 30) * DAY
        if at > self.end:
            self.pay_as_usual(invoice, issued)
            return
        parts = (2, 1_000) if percent == 0 else (percent, 100)
        net = share_of(invoice.net, *parts)
        tax = share_of(invoice.tax, *parts)
        if way != "due":
            payment = self.pay(invoice, invoice.gross, issued + rng.randint(3, 12) * DAY)
        self.notes += 1
        note = CreditNote(
            self.new_id("cn"),
            f"NL7A21C4-CN-{self.notes:04d}",
            at,
            net,
            tax,
            way,
            rng.choice(("order_change", "duplicate", "product_unsatisfactory")),
        )
        invoice.credits.append(note)
        if way == "refund":
            if rng.random() < 0.1:
                # The bank sent the first one back.
                bounced = Refund(self.new_id("re"), at, note.gross, payment, failed=True)
                self.books.failed_refunds.append(bounced)
            note.refund = Refund(
                self.new_id("re"), min(at + 2 * HOUR, self.end), note.gross, payment
            )
            payment.refunded = note.gross
        elif way == "balance":
            self.move(invoice.customer, at, -note.gross, "credit_note", credit_note=note.id)
        elif way == "due" and invoice.remaining > 0:
            later = at + rng.randint(3, 20) * DAY
            if later < self.end:
                self.pay(invoice, invoice.remaining, later)
        self.world.mark(f"credited_{way}", note.id)
