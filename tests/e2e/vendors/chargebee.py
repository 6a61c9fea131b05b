"""Chargebee, whose invoices are known by their numbers."""

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.chargebee import API_KEY, ChargebeeServer, ChargebeeState
from sandbox.company import Company
from tests.e2e.vendors import Case, InvoiceRow, Served, invoice_row


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """The company's site; long invoices show three lines and hold the rest back."""
    site = ChargebeeState(domain="nordlicht-test")
    site.load(company.chargebee)
    with ChargebeeServer(site, per_minute=100_000, inline_lines=3) as server:
        yield Served(
            '[sources.chargebee.chargebee]\nsite = "nordlicht-test"\n'
            f'base_url = "{server.url}"\nrequests_per_minute = 10_000\n',
            {"api_key": API_KEY},
            lambda: server.errors,
        )


def invoices(company: Company) -> dict[str, InvoiceRow]:
    """The truth as it is."""
    return {
        f"chargebee:{one.number}": invoice_row(one)
        for one in company.world.books.invoices
        if one.is_billed
    }


CASE = Case("chargebee", serve, invoices=invoices)
