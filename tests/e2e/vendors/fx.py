"""The ECB, which fills the currencies that the company's own file of rates lacks."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from sandbox.company import Company
from sandbox.fx import FxServer, FxState
from tests.e2e.vendors import Case, Served

POUND = {date(2026, 10, 8): "0.87310", date(2026, 10, 9): "0.87290", date(2026, 10, 12): "0.87300"}
"""A Thursday, a Friday and a Monday."""


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """Three fixings of pound and dollar; the dollar's are not those of the company's books."""
    del company
    bank = FxState()
    for day, pound in POUND.items():
        bank.fixes(day, GBP=pound, USD="9.9999")
    with FxServer(bank) as server:
        yield Served(
            f'[sources.fx.fx]\nbase_url = "{server.url}"\n'
            '[[sources.fx.fx.budget]]\nstart = 2026-02-01\nrates = { GBP = "0.88" }\n',
            errors=lambda: server.errors,
        )


CASE = Case("fx", serve)
