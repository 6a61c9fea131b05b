"""A shelf for what Salesforce lands."""

from dataclasses import dataclass
from typing import Any

from connectors.salesforce import CONNECTOR
from sandbox.salesforce import CLIENT_ID, CLIENT_SECRET, SalesforceServer
from tests.connectors import shelf


@dataclass
class Shelf(shelf.Shelf):
    """An org on loopback, landed in memory."""

    server: SalesforceServer
    connector = CONNECTOR

    def reach(self) -> dict[str, Any]:
        """An org and an app that runs as its own user."""
        return {
            "base_url": self.server.url,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }
