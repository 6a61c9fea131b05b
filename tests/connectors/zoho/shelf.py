"""A shelf for what Zoho lands."""

from dataclasses import dataclass
from typing import Any

from connectors.zoho import CONNECTOR
from sandbox.zoho import CLIENT, REFRESH_TOKEN, SECRET, ZohoServer
from tests.connectors import shelf


@dataclass
class Shelf(shelf.Shelf):
    """Zoho on loopback, landed in memory."""

    server: ZohoServer
    connector = CONNECTOR

    def reach(self) -> dict[str, Any]:
        """The grant of the organisation's administrator."""
        return {
            "data_center": "eu",
            "base_url": self.server.url,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "refresh_token": REFRESH_TOKEN,
        }
