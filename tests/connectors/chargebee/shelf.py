"""A shelf for what Chargebee lands."""

from dataclasses import dataclass
from typing import Any

from connectors.chargebee import CONNECTOR
from sandbox.chargebee import API_KEY, ChargebeeServer
from tests.connectors import shelf


@dataclass
class Shelf(shelf.Shelf):
    """A Chargebee site on loopback, landed in memory."""

    server: ChargebeeServer
    connector = CONNECTOR

    def reach(self) -> dict[str, Any]:
        """The key of a test site."""
        return {
            "site": "acme-test",
            "api_key": API_KEY,
            "base_url": self.server.url,
            "requests_per_minute": 10_000,
        }

    async def read(self, name: str, **options: Any) -> shelf.Outcome:
        """Read one stream; a fault of it is raised."""
        outcome = (await self.sync(name, **options))[name]
        if outcome.error is not None:
            raise outcome.error
        return outcome
