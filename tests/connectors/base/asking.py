"""A vendor of one answer on loopback, and a client of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from connectors.base.auth import Auth, Bearer
from connectors.base.client import Client, ClientSettings
from connectors.base.stream import Resources
from connectors.base.transport import Bounds
from sandbox.exchange import Reply, reply_json
from sandbox.http import SandboxServer

TOKEN = "canary-token-4711"
NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)
QUICK = ClientSettings(base_url="", first_pause_seconds=0.001, attempts=3)


def vendor(reply: Reply | None = None) -> SandboxServer:
    """A server that answers everything alike; faults are scripted on it."""
    answer = reply or reply_json({"data": [{"id": 1}], "has_more": False})
    return SandboxServer(lambda _: answer)


@asynccontextmanager
async def client_of(
    server: SandboxServer,
    folder: Path,
    *,
    auth: Auth | None = None,
    settings: ClientSettings = QUICK,
    bounds: Bounds | None = None,
    **changes: Any,
) -> AsyncIterator[Client]:
    """A client with a token, three quick tries and the given settings."""
    own = replace(settings, base_url=server.url, bounds=bounds or settings.bounds, **changes)
    resources = Resources(connection="test", state_dir=str(folder), clock=lambda: NOON)
    async with Client.open(own, auth=auth or Bearer(SecretStr(TOKEN)), resources=resources) as one:
        yield one
