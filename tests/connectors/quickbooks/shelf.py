"""A shelf for what QuickBooks lands."""

from dataclasses import dataclass
from typing import Any

from connectors.quickbooks import CONNECTOR
from sandbox.quickbooks import CLIENT_ID, CLIENT_SECRET, REALM, REFRESH_TOKEN, QuickbooksServer
from tests.connectors import shelf
from tests.connectors.shelf import Outcome


@dataclass
class Shelf(shelf.Shelf):
    """QuickBooks on loopback, landed in memory."""

    server: QuickbooksServer
    connector = CONNECTOR

    def reach(self) -> dict[str, Any]:
        """The company and its first grant."""
        return {
            "realm_id": REALM,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
            "base_url": self.server.url,
            "token_url": f"{self.server.url}/oauth2/v1/tokens/bearer",
            "page_size": 10,
        }

    async def read(self, stream: str = "invoices", **options: Any) -> Outcome:
        """Read one stream; a fault of its own is raised."""
        outcome = (await self.sync(stream, **options))[stream]
        if outcome.error is not None:
            raise outcome.error
        return outcome

    def live(self, stream: str = "invoices") -> list[str]:
        """Ids whose newest version is an upsert, by number."""
        return sorted(self.upserts(stream), key=int)
