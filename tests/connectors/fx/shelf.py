"""A shelf for exchange rates."""

from dataclasses import dataclass
from typing import Any

from connectors.fx import CONNECTOR
from sandbox.fx import FxServer
from tests.connectors import shelf


@dataclass
class Shelf(shelf.Shelf):
    """The ECB on loopback, landed in memory."""

    server: FxServer
    connector = CONNECTOR

    def reach(self) -> dict[str, Any]:
        """The server in the ECB's place."""
        return {"base_url": self.server.url}

    async def rates(self, name: str = "rates", **options: Any) -> shelf.Outcome:
        """Read one stream; a fault of it is raised."""
        outcome = (await self.sync(name, **options))[name]
        if outcome.error is not None:
            raise outcome.error
        return outcome
