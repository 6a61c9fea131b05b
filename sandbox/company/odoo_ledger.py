"""The books as Odoo's accounting holds them: moves, their items, and what settles what.

A credit lies as a credit note that names its invoice. One that lowered what was due is
reconciled with the invoice; one after the payment is paid out, or stays with the customer
until an invoice takes from it. A write-off is an entry of the general journal; a lost dispute
has undone the reconciliation of its payment.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sandbox.company.clock import business_date, instant
from sandbox.company.hubspot_work import product_id
from sandbox.company.ledger import CreditNote, Customer, Invoice
from sandbox.company.model import World
from sandbox.company.money import major

Row = dict[str, Any]
Tables = dict[str, dict[int, Row]]
CURRENCY_IDS = {"EUR": 1, "USD": 2, "JPY": 3}
BANK, GENERAL, SALES = 1, 2, 3
JOURNALS = {BANK: ("Bank", "bank"), GENERAL: ("Bad debts", "general"), SALES: ("Sales", "sale")}


def move_id(world: World, one: Invoice) -> int:
    """The number of an invoice's move."""
    return world.books.invoices.index(one) + 1


@dataclass(slots=True)
class _Books:
    """What is written while the ledger is made."""

    world: World
    tables: Tables
    moves: int = 0
    partners: dict[str, int] = field(default_factory=dict)
    credit_left: dict[str, list[list[int]]] = field(default_factory=lambda: defaultdict(list))
    """By customer: [item of a credit note, what of it is left], oldest first."""

    def put(self, model: str, row: Row, at: int, number: int | None = None) -> int:
        """A record with its stamps; its number."""
        table = self.tables.setdefault(model, {})
        number = number or len(table) + 1
        stamps = {"create_date": instant(at).replace(microsecond=0), "write_date": instant(at)}
        table[number] = {"id": number, **stamps, **row}
        return number

    def partner(self, one: Customer) -> int:
        """The customer's company; one that only billing knows gets a partner of its own."""
        if one.account is not None:
            return int(one.account.id)
        if one.id not in self.partners:
            row: Row = {"name": one.name, "is_company": True, "email": one.email, "active": True}
            number = 700_000 + len(self.partners)
            row |= {"commercial_partner_id": number}
            self.partners[one.id] = self.put("res.partner", row, one.created, number)
        return self.partners[one.id]

    def next_move(self) -> int:
        """The number of a move that is no invoice."""
        self.moves += 1
        return len(self.world.books.invoices) + self.moves

    def item(self, move: int, move_type: str, amount: float, at: int, journal: int) -> int:
        """A receivable item: positive is owed to us."""
        row: Row = {"move_id": move, "move_id.move_type": move_type, "amount_currency": amount}
        row |= {"display_type": "payment_term", "journal_id": journal}
        row |= {"account_id.account_type": "asset_receivable", "price_subtotal": 0.0}
        row |= {"price_total": 0.0, "quantity": 0.0, "price_unit": 0.0, "discount": 0.0}
        return self.put("account.move.line", row, at)

    def settle(self, debit: int, credit: int, amount: float, at: int) -> None:
        """Reconcile a credit item with a debit item."""
        row: Row = {"debit_move_id": debit, "credit_move_id": credit, "amount": amount}
        row |= {"debit_amount_currency": amount, "credit_amount_currency": amount}
        row |= {"max_date": business_date(at).isoformat()}
        self.put("account.partial.reconcile", row, at)

    def payment(self, one: Customer, amount: float, at: int, *, is_inbound: bool) -> int:
        """Money in or out; its receivable item."""
        move = self.next_move()
        row: Row = {"name": f"PAY/{move}", "move_id": move, "state": "paid", "amount": amount}
        row |= {"payment_type": "inbound" if is_inbound else "outbound"}
        row |= {"partner_type": "customer", "partner_id": self.partner(one)}
        row |= {"currency_id": CURRENCY_IDS[one.currency], "date": business_date(at).isoformat()}
        self.put("account.payment", row, at)
        return self.item(move, "entry", -amount if is_inbound else amount, at, BANK)


def ledger(world: World, tables: Tables) -> None:
    """Write all of it."""
    books = _Books(world, tables)
    for number, (name, kind) in JOURNALS.items():
        books.put("account.journal", {"name": name, "type": kind}, world.today, number)
    items = {}
    for one in world.books.invoices:
        items[one.id] = _invoice(books, one)
    for one in sorted(world.books.invoices, key=lambda one: one.finalized or one.created):
        _settle(books, one, items[one.id])


def _document(one: Invoice, net: int, tax: int, at: int) -> Row:
    rate = 1.0
    return {
        "currency_id": CURRENCY_IDS[one.currency],
        "company_id": 1,
        "company_currency_id": None,
        "amount_untaxed": float(one.amount(net)),
        "amount_tax": float(one.amount(tax)),
        "amount_total": float(one.amount(net + tax)),
        "amount_total_signed": float(one.amount(net + tax)) * rate,
        "invoice_date": business_date(at).isoformat(),
    }


def _invoice(books: _Books, one: Invoice) -> int:
    """An invoice with its lines; its receivable item."""
    number = move_id(books.world, one)
    issued = one.finalized or one.created
    lost = sum(paid.amount for paid in one.payments if paid.dispute_lost)
    residual = 0 if one.status in {"draft", "void", "uncollectible"} else one.remaining + lost
    state = {"draft": "draft", "void": "cancel"}.get(one.status, "posted")
    due = one.due or issued
    row = _document(one, one.net, one.tax, issued)
    row |= {"name": one.number or "/", "move_type": "out_invoice", "state": state}
    row |= {"partner_id": books.partner(one.customer), "ref": one.po_number}
    row |= {"commercial_partner_id": books.partner(one.customer), "reversed_entry_id": None}
    row |= {"invoice_origin": None, "invoice_date_due": business_date(due).isoformat()}
    row |= {"amount_residual": float(one.amount(residual))}
    row |= {"payment_state": "not_paid" if residual else "paid"}
    books.put("account.move", row, one.voided_at or issued, number)
    for line in one.lines:
        net, tax = one.amount(line.net), one.amount(line.tax)
        held: Row = {"move_id": number, "move_id.move_type": "out_invoice"}
        held |= {"display_type": "product", "name": line.text, "quantity": float(line.quantity)}
        held |= {"product_id": int(product_id(line.product)), "price_unit": float(net)}
        held |= {"price_subtotal": float(net), "price_total": float(net + tax)}
        held |= {"amount_currency": -float(net), "discount": 0.0, "journal_id": SALES}
        held |= {"account_id.account_type": "income"}
        books.put("account.move.line", held, issued)
    return books.item(number, "out_invoice", float(one.amount(one.gross)), issued, SALES)


def _settle(books: _Books, one: Invoice, item: int) -> None:
    """Payments, credits, what was taken from the customer's balance, and a write-off."""
    if one.status in {"draft", "void"}:
        for note in one.credits:
            _credit_note(books, one, note, item)
        return
    _take_from_balance(books, one, item)
    for paid in one.payments:
        amount = float(one.amount(paid.amount))
        credit = books.payment(one.customer, amount, paid.at, is_inbound=True)
        if not paid.dispute_lost:
            books.settle(item, credit, amount, paid.at)
    for note in one.credits:
        _credit_note(books, one, note, item)
    if one.status == "uncollectible" and one.written_off_at is not None:
        amount = float(one.amount(one.remaining))
        credit = books.item(books.next_move(), "entry", -amount, one.written_off_at, GENERAL)
        books.settle(item, credit, amount, one.written_off_at)


def _take_from_balance(books: _Books, one: Invoice, item: int) -> None:
    wanted = one.from_balance
    for left in books.credit_left[one.customer.id]:
        taken = min(wanted, left[1])
        if taken:
            books.settle(item, left[0], float(one.amount(taken)), one.finalized or one.created)
            left[1] -= taken
            wanted -= taken


def _credit_note(books: _Books, one: Invoice, note: CreditNote, item: int) -> None:
    number = books.next_move()
    gross = float(major(note.gross, one.currency))
    row = _document(one, note.net, note.tax, note.at)
    row |= {"name": note.number, "move_type": "out_refund", "state": "posted", "ref": note.reason}
    row |= {"partner_id": books.partner(one.customer)}
    row |= {"commercial_partner_id": books.partner(one.customer)}
    row |= {"reversed_entry_id": move_id(books.world, one), "invoice_date_due": None}
    row |= {"amount_residual": gross if note.way == "balance" else 0.0, "payment_state": "paid"}
    books.put("account.move", row, note.at, number)
    credit = books.item(number, "out_refund", -gross, note.at, SALES)
    if note.way == "due":
        books.settle(item, credit, gross, note.at)
    elif note.way == "balance":
        books.credit_left[one.customer.id].append([credit, note.gross])
    else:
        at = note.refund.at if note.refund else note.at
        debit = books.payment(one.customer, gross, at, is_inbound=False)
        books.settle(debit, credit, gross, at)
