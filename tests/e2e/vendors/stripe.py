"""Stripe, in whose shape the generator keeps its ledger."""

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.company import Company
from sandbox.stripe import TEST_KEY, StripeServer, StripeState
from tests.e2e.vendors import Case, InvoiceRow, Served, invoice_row


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """The company's account."""
    account = StripeState()
    account.load(company.stripe)
    with StripeServer(account, per_second=1_000) as server:
        yield Served(
            f'[sources.stripe.stripe]\nbase_url = "{server.url}"\nrequests_per_second = 400\n',
            {"api_key": TEST_KEY},
            lambda: server.errors,
        )


def invoices(company: Company) -> dict[str, InvoiceRow]:
    """The truth as it is."""
    return {
        f"stripe:{one.id}": invoice_row(one)
        for one in company.world.books.invoices
        if one.is_billed
    }


CASE = Case("stripe", serve, invoices=invoices)
