"""A shelf for what Xero lands."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.xero import CONNECTOR
from sandbox.xero import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, XeroServer, XeroState
from tests.connectors import shelf


@dataclass
class Shelf(shelf.Shelf):
    """A Xero organisation on loopback, landed in memory."""

    server: XeroServer
    connector = CONNECTOR

    def reach(self) -> dict[str, Any]:
        """A signed-in user's app."""
        return {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
            "base_url": self.server.url,
            "token_url": f"{self.server.url}/connect/token",
            "calls_per_minute": 10_000,
            "daily_calls": 100_000,
        }

    async def read(self, name: str = "invoices", **options: Any) -> shelf.Outcome:
        """Read one stream; a fault of it is raised."""
        outcome = (await self.sync(name, **options))[name]
        if outcome.error is not None:
            raise outcome.error
        return outcome


def invoice(
    books: XeroState, *, at: datetime | None = None, tenant: str | None = None, **fields: Any
) -> str:
    """A sales invoice of one line."""
    more = {} if tenant is None else {"tenant": tenant}
    one = {
        "Type": "ACCREC",
        "Status": "AUTHORISED",
        "Total": Decimal("119.00"),
        "LineItems": [{"LineItemID": "l1", "UnitAmount": Decimal("12.3456")}],
        **fields,
    }
    return books.put("Invoices", one, at=at, **more)


def many(books: XeroState, count: int, *, seconds: float = 7) -> list[str]:
    """So many invoices, so far apart; none of them younger than an hour."""
    made = []
    for _ in range(count):
        made.append(invoice(books))
        books.advance(seconds=seconds)
    books.advance(hours=1)
    return made
