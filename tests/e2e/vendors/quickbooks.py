"""QuickBooks, whose credits are applied by payments of zero and whose lost payments are gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from sandbox.company import Company
from sandbox.company.clock import TODAY, instant
from sandbox.company.ledger import Invoice
from sandbox.company.quickbooks_bills import bill_id
from sandbox.company.quickbooks_documents import invoice_id
from sandbox.company.truth_periods import balance_without_lost_payments
from sandbox.quickbooks import (
    CLIENT_ID,
    CLIENT_SECRET,
    REALM,
    REFRESH_TOKEN,
    QuickbooksServer,
    QuickbooksState,
)
from tests.e2e.vendors import BillRow, Case, InvoiceRow, Served, bill_row, invoice_row


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """The company's books."""
    books = QuickbooksState(now=instant(TODAY))
    books.load(company.quickbooks)
    with QuickbooksServer(books, per_minute=1_000) as server:
        yield Served(
            f'[sources.quickbooks.quickbooks]\nrealm_id = "{REALM}"\nclient_id = "{CLIENT_ID}"\n'
            f'base_url = "{server.url}"\ntoken_url = "{server.url}/oauth2/v1/tokens/bearer"\n'
            "rate_days = 5\n",
            {"client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN},
            lambda: server.errors,
        )


def invoices(company: Company) -> dict[str, InvoiceRow]:
    """The ledger: what is written off is settled, what a dispute took back was never paid.

    A credit counts where it was applied; a refund receipt names no invoice.
    """
    found = {}
    for one in company.world.books.invoices:
        if not one.is_billed:
            continue
        row = invoice_row(one)
        lost = sum(paid.amount for paid in one.payments if paid.dispute_lost)
        found[f"quickbooks:{invoice_id(one)}"] = row._replace(
            status="open" if row.balance else "paid",
            credited=one.amount(one.lowered + one.from_balance),
            paid=one.amount(one.paid - lost),
        )
    return found


def balance_of(one: Invoice, day: date) -> int:
    """What was due on a day; a void has made zeros of an invoice that was first read after it."""
    return 0 if one.status == "void" else balance_without_lost_payments(one, day)


def bills(company: Company) -> dict[str, BillRow]:
    """The bills but for those that were voided: a deleted one is in no list."""
    return {
        f"quickbooks:bill:{bill_id(one)}": bill_row(one)
        for one in company.world.goods.bills
        if one.voided is None
    }


CASE = Case("quickbooks", serve, invoices=invoices, balance_of=balance_of, bills=bills)
