"""A shelf for what Pipedrive lands."""

from dataclasses import dataclass
from typing import Any

from connectors.pipedrive import CONNECTOR
from sandbox.pipedrive import API_TOKEN, PipedriveServer
from tests.connectors import shelf


@dataclass
class Shelf(shelf.Shelf):
    """Pipedrive on loopback, landed in memory."""

    server: PipedriveServer
    connector = CONNECTOR

    def reach(self) -> dict[str, Any]:
        """A user's token, with tokens to spend."""
        return {
            "base_url": self.server.url,
            "api_token": API_TOKEN,
            "page_size": 100,
            "daily_tokens": 1_000_000,
            "daily_reserve": 0.0,
            "burst_requests": 3000,
        }

    def live(self, stream: str) -> list[int]:
        """Ids whose newest version is an upsert, ascending."""
        return sorted(int(one) for one in self.upserts(stream))
