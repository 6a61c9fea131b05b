"""The books as a Xero organisation in euro holds them.

Lists by endpoint, each object with the instant of its last change; amounts in major units with
two decimals, days as Xero writes them. A credit note names no invoice: one that lowered what
was due is allocated to it, one after the payment is paid out in cash or stays with the customer
until an invoice takes from it, on that day. A write-off is a payment from the account of bad
debts; a lost dispute has deleted its payment. Drafts bear no number.
Shapes: docs/sources/xero.md.
"""

from collections import defaultdict
from datetime import datetime

from sandbox.company.clock import instant
from sandbox.company.credit_use import CreditUse, credit_uses
from sandbox.company.ledger import Customer, Invoice
from sandbox.company.model import World
from sandbox.company.money import HOME
from sandbox.company.names import PRODUCTS
from sandbox.company.xero_bills import bills
from sandbox.company.xero_documents import (
    BAD_DEBTS,
    BANK,
    SALES,
    Object,
    account_id,
    contact,
    contact_id,
    credit_note,
    invoice,
    item,
    payment,
    quote,
    refund,
)

Tables = dict[str, list[tuple[Object, datetime]]]
ACCOUNTS = {
    BANK: ("Bank", "BANK", "ASSET"),
    SALES: ("Sales", "REVENUE", "REVENUE"),
    BAD_DEBTS: ("Bad debts", "EXPENSE", "EXPENSE"),
}


def render(world: World) -> Tables:
    """Every list's objects with the instant of their last change."""
    books = world.books
    taken = credit_uses(books)
    found: Tables = defaultdict(list)
    _settings(world, found)
    named: set[str] = set()
    for customer in books.customers:
        found["Contacts"].append(
            (contact(customer, _own_name(customer, named)), instant(customer.created))
        )
    for one in books.invoices:
        used = taken.get(one.id, [])
        found["Invoices"].append((invoice(world, one, used), instant(_changed(one, used))))
        _money(one, found)
        for note in one.credits:
            spent = [part for parts in taken.values() for part in parts if part.note is note]
            if note.way == "due":
                spent = [CreditUse(note, one, note.gross, note.at)]
            at = max([note.at, *(part.at for part in spent)])
            found["CreditNotes"].append((credit_note(world, one, note, spent), instant(at)))
            if note.way in {"refund", "outside"}:
                at = note.refund.at if note.refund else note.at
                found["Payments"].append((refund(one, note, at), instant(at)))
    for offer in books.quotes:
        found["Quotes"].append((quote(offer), instant(offer.invoice.created)))
    for name, rows in bills(world).items():
        found[name] += rows
    return dict(found)


def _settings(world: World, found: Tables) -> None:
    at = instant(min(one.created for one in world.books.customers))
    organisation: Object = {
        "OrganisationID": contact_id("organisation"),
        "Name": "Nordlicht GmbH",
        "BaseCurrency": HOME,
        "CountryCode": "DE",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 1,
    }
    found["Organisations"].append((organisation, at))
    for code, (name, kind, account_class) in ACCOUNTS.items():
        row: Object = {"AccountID": account_id(code), "Code": code, "Name": name}
        row |= {"Type": kind, "Class": account_class, "Status": "ACTIVE"}
        row |= {"BankAccountNumber": "PRIVATE-ACCOUNT"} if kind == "BANK" else {}
        found["Accounts"].append((row, at))
    for place in range(len(PRODUCTS)):
        found["Items"].append((item(place), at))
    for currency in ("EUR", "USD", "JPY"):
        found["Currencies"].append(({"Code": currency, "Description": currency}, at))


def _own_name(customer: Customer, named: set[str]) -> str:
    """A name that no other contact has: Xero refuses a second one."""
    name = customer.name
    number = 1
    while name.lower() in named:
        number += 1
        name = f"{customer.name} ({number})"
    named.add(name.lower())
    return name


def _money(one: Invoice, found: Tables) -> None:
    """Payments, and the write-off of what never came."""
    for paid in one.payments:
        at = paid.dispute_at if paid.dispute_lost else paid.at
        state = "DELETED" if paid.dispute_lost else "AUTHORISED"
        found["Payments"].append(
            (payment(one, paid.id, paid.amount, paid.at, BANK, state), instant(at))
        )
    if one.status == "uncollectible" and one.written_off_at is not None:
        at = one.written_off_at
        row = payment(one, f"{one.id}:write-off", one.remaining, at, BAD_DEBTS, "AUTHORISED")
        found["Payments"].append((row, instant(at)))


def _changed(one: Invoice, used: list[CreditUse]) -> int:
    """The last moment at which anything happened to an invoice."""
    moments = [one.created, one.finalized or 0, one.voided_at or 0, one.written_off_at or 0]
    moments += [paid.at for paid in one.payments]
    moments += [paid.dispute_at for paid in one.payments if paid.dispute_lost]
    moments += [note.at for note in one.credits if note.way == "due"]
    return max(moments + [part.at for part in used])
