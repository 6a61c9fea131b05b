"""A shelf for what Vtiger lands."""

from dataclasses import dataclass
from typing import Any

from connectors.vtiger import CONNECTOR
from sandbox.vtiger import ACCESS_KEY, ADMIN, VtigerServer
from tests.connectors import shelf


@dataclass
class Shelf(shelf.Shelf):
    """Vtiger on loopback, landed in memory."""

    server: VtigerServer
    connector = CONNECTOR

    def reach(self) -> dict[str, Any]:
        """The administrator's key."""
        return {"base_url": self.server.url, "username": ADMIN, "access_key": ACCESS_KEY}

    def live(self, stream: str) -> list[str]:
        """Ids whose newest version is an upsert, in the server's order."""
        return sorted(self.upserts(stream), key=lambda one: int(one.partition("x")[2]))
