"""A shelf for what Odoo lands."""

from dataclasses import dataclass
from typing import Any

from connectors.odoo import CONNECTOR
from sandbox.odoo import API_KEY, DATABASE, LOGIN, OdooServer
from tests.connectors import shelf


@dataclass
class Shelf(shelf.Shelf):
    """Odoo on loopback, landed in memory."""

    server: OdooServer
    connector = CONNECTOR

    def reach(self) -> dict[str, Any]:
        """A database and one of its users."""
        return {
            "base_url": self.server.url,
            "database": DATABASE,
            "username": LOGIN,
            "api_key": API_KEY,
            "page_size": 100,
        }

    def live(self, stream: str) -> list[int]:
        """Ids whose newest version is an upsert, ascending."""
        return sorted(int(one) for one in self.upserts(stream))
