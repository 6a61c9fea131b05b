"""Xero, whose credit notes name no invoice and whose lost payments are deleted."""

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.company import Company
from sandbox.company.truth_periods import balance_without_lost_payments
from sandbox.company.xero_bills import bill_id
from sandbox.company.xero_documents import invoice_id
from sandbox.xero import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, XeroServer, XeroState
from tests.e2e.vendors import BillRow, Case, InvoiceRow, Served, bill_row, invoice_row


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """The company's organisation."""
    books = XeroState()
    books.load(company.xero)
    with XeroServer(books, per_minute=1_000) as server:
        yield Served(
            f'[sources.xero.xero]\nclient_id = "{CLIENT_ID}"\nbase_url = "{server.url}"\n'
            f'token_url = "{server.url}/connect/token"\ncalls_per_minute = 900\n',
            {"client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN},
            lambda: server.errors,
        )


def invoices(company: Company) -> dict[str, InvoiceRow]:
    """The ledger: what is written off is settled, what a dispute took back was never paid.

    A credit counts where it was allocated.
    """
    found = {}
    for one in company.world.books.invoices:
        if not one.is_billed:
            continue
        row = invoice_row(one)
        lost = sum(paid.amount for paid in one.payments if paid.dispute_lost)
        found[f"xero:{invoice_id(one)}"] = row._replace(
            status="open" if row.balance else "paid",
            credited=one.amount(one.lowered + one.from_balance),
            paid=one.amount(one.paid - lost),
        )
    return found


def bills(company: Company) -> dict[str, BillRow]:
    """All bills, void ones among them."""
    return {f"xero:{bill_id(one)}": bill_row(one) for one in company.world.goods.bills}


CASE = Case("xero", serve, invoices=invoices, balance_of=balance_without_lost_payments, bills=bills)
