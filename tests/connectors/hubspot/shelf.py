"""A shelf for what HubSpot lands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.base.stream import Record
from connectors.hubspot import CONNECTOR
from sandbox.hubspot import STATIC_TOKEN, HubspotServer
from tests.connectors import shelf


@dataclass
class Shelf(shelf.Shelf):
    """HubSpot on loopback, landed in memory."""

    server: HubspotServer
    connector = CONNECTOR

    def reach(self) -> dict[str, Any]:
        """The static token, unless OAuth is given."""
        credential = {} if "refresh_token" in self.settings else {"token": STATIC_TOKEN}
        return {"base_url": self.server.url, **credential}

    def live(self, stream: str) -> dict[str, Any]:
        """Content of all records that are neither archived, deleted nor merged."""
        return {one: self.payload(stream, one) for one in self.upserts(stream)}


def ids(records: Sequence[Record]) -> list[str]:
    """Record ids in order."""
    return [record.record_id for record in records]
