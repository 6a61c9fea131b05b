"""The books as a QuickBooks company in euro holds them.

Rows by entity, each with the instant of its last change. Drafts are none: QuickBooks posts what
it holds. A void keeps its row with zeros; a payment that a dispute took back was deleted. A
credit is applied by a payment of zero that names credit and invoice; money that was given back
is a refund receipt, which names no invoice; a write-off is a credit memo of an item whose
account is one of expenses. Of some invoices a part was paid as their deposit, which is no payment
of its own. Shapes: docs/sources/quickbooks.md.
"""

from collections import defaultdict
from datetime import datetime, timedelta

from sandbox.company.clock import TODAY, business_date, instant
from sandbox.company.credit_use import CreditUse, credit_uses
from sandbox.company.ledger import Invoice
from sandbox.company.model import World
from sandbox.company.money import HOME
from sandbox.company.names import PRODUCTS
from sandbox.company.quickbooks_bills import bills
from sandbox.company.quickbooks_documents import (
    BAD_DEBTS,
    SALES,
    Object,
    applied,
    bad_debt,
    credit_memo,
    credit_memo_id,
    customer,
    customer_name,
    estimate,
    invoice,
    invoice_id,
    item,
    payment,
    refund_receipt,
)

Tables = dict[str, list[tuple[Object, datetime]]]
RATE_DAYS = 10


def render(world: World) -> Tables:
    """Every entity's rows with the instant of their last change."""
    books = world.books
    taken = credit_uses(books)
    used: dict[str, int] = defaultdict(int)
    for parts in taken.values():
        for part in parts:
            used[part.note.id] += part.amount
    found: Tables = defaultdict(list)
    _settings(world, found)
    named: dict[str, int] = defaultdict(int)
    for one in books.customers:
        named[one.name] += 1
        name = customer_name(one, named[one.name])
        found["Customer"].append((customer(one, name), instant(one.created)))
    quotes = {quote.invoice.id: quote for quote in books.quotes}
    for quote in books.quotes:
        found["Estimate"].append((estimate(world, quote), instant(quote.created)))
    for bill in books.invoices:
        if bill.finalized is not None:
            document = invoice(world, bill, quotes.get(bill.id))
            _document(world, bill, document, taken.get(bill.id, []), used, found)
    for name, rows in bills(world).items():
        found[name] += rows
    return dict(found)


def _document(
    world: World,
    one: Invoice,
    document: Object,
    taken: list[CreditUse],
    used: dict[str, int],
    found: Tables,
) -> None:
    """An invoice, its money, and its credits."""
    moments = [one.finalized or 0, one.voided_at or 0, one.written_off_at or 0]
    for paid in one.payments:
        moments += [paid.at, paid.dispute_at]
        if not paid.dispute_lost:
            found["Payment"].append((payment(world, one, paid), instant(paid.at)))
    for part in taken:
        id_ = credit_memo_id(part.note.id)
        _apply(world, one, id_, part.amount, part.at, found)
        moments.append(part.at)
    for note in one.credits:
        if note.way in {"refund", "outside"}:
            at = note.refund.at if note.refund else note.at
            found["RefundReceipt"].append((refund_receipt(world, one, note), instant(at)))
            continue
        left = 0 if note.way == "due" else note.gross - used[note.id]
        found["CreditMemo"].append((credit_memo(world, one, note, left), instant(note.at)))
        if note.way == "due":
            _apply(world, one, credit_memo_id(note.id), note.gross, note.at, found)
            moments.append(note.at)
    if one.status == "uncollectible" and one.written_off_at is not None:
        memo = bad_debt(world, one, one.written_off_at)
        found["CreditMemo"].append((memo, instant(one.written_off_at)))
        _apply(world, one, memo["Id"], one.remaining, one.written_off_at, found)
    found["Invoice"].append((document, instant(max(moments))))


def _apply(world: World, one: Invoice, memo: str, amount: int, at: int, found: Tables) -> None:
    found["Payment"].append((applied(world, one, memo, amount, at), instant(at)))


def _settings(world: World, found: Tables) -> None:
    at = instant(min(one.created for one in world.books.customers))
    money: Object = {"MultiCurrencyEnabled": True, "HomeCurrency": {"value": HOME}}
    found["Preferences"].append(({"Id": "1", "CurrencyPrefs": money}, at))
    found["CompanyInfo"].append(({"Id": "1", "CompanyName": "Nordlicht GmbH", "Country": "DE"}, at))
    for number, name, kind in ((SALES, "Sales", "Revenue"), (BAD_DEBTS, "Bad debts", "Expense")):
        account: Object = {"Id": number, "Name": name, "Classification": kind}
        found["Account"].append((account, at))
    for place in range(-1, len(PRODUCTS)):
        found["Item"].append((item(place), at))
    last = business_date(TODAY)
    for currency in ("USD", "JPY"):
        found["CompanyCurrency"].append(({"Id": currency, "Code": currency}, at))
        for back in range(1, RATE_DAYS):
            day = last - timedelta(days=back)
            rate: Object = {
                "SourceCurrencyCode": currency,
                "TargetCurrencyCode": HOME,
                "Rate": world.rates.on(currency, day),
                "AsOfDate": day.isoformat(),
            }
            found["ExchangeRate"].append((rate, instant(TODAY) - timedelta(days=back)))


__all__ = ["Tables", "invoice_id", "render"]
