"""The table of all fixings: over HTTP, only if it changed, or as it came with the package."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import resources as packaged
from typing import Any

from connectors.base.budget import Budget, Limit
from connectors.base.client import Client, ClientSettings, Response
from connectors.base.errors import ProtocolError
from connectors.base.stream import Resources
from connectors.fx.settings import FxSettings

HISTORY = "/eurofxref-hist.zip"
NOT_MODIFIED = 304
PACKAGE, PACKAGED_TABLE = "currency_converter", "eurofxref-hist.zip"


@dataclass(frozen=True, slots=True)
class Table:
    """The packed table, and the marks by which a later request says that it knows it."""

    packed: bytes
    etag: str | None = None
    modified: str | None = None


class Nobody:
    """No credential: the files are public."""

    async def headers(self) -> Mapping[str, str]:
        """None."""
        return {}

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """Nothing to renew."""
        del refused
        return False


def must_be_archive(response: Response) -> None:
    """Refuse a page of a proxy or of maintenance in the table's place.

    Raises:
        ProtocolError: it is no zip.
    """
    if response.status == NOT_MODIFIED:
        return
    if not response.body.startswith(b"PK\x03\x04"):
        kind = response.headers.get("content-type", "no content type")
        raise ProtocolError(
            f"a {response.status} with {kind} where a zip was due, beginning "
            f"{bytes(response.body[:40])!r}. Something between us and the ECB answered."
        )


class Session:
    """Where the table comes from."""

    def __init__(self, client: Client | None, settings: FxSettings) -> None:
        self.client = client
        self.settings = settings

    @property
    def requests(self) -> int:
        """Requests made so far."""
        return 0 if self.client is None else self.client.requests

    @property
    def bytes(self) -> int:
        """Bytes of answers so far."""
        return 0 if self.client is None else self.client.bytes

    def report(self) -> Mapping[str, Any]:
        """What is left of each allowance."""
        return {} if self.client is None else self.client.report()

    async def table(self, known: Mapping[str, Any]) -> Table | None:
        """The table; None where it is still the one that ``known`` marks."""
        if self.client is None:
            return Table(packaged.files(PACKAGE).joinpath(PACKAGED_TABLE).read_bytes())
        marks = {"If-None-Match": known.get("etag"), "If-Modified-Since": known.get("modified")}
        response = await self.client.get(
            HISTORY,
            ok=frozenset({200, NOT_MODIFIED}),
            headers={name: mark for name, mark in marks.items() if mark},
        )
        if response.status == NOT_MODIFIED:
            if not any(marks.values()):
                raise ProtocolError("a 304 to a request that compared nothing")
            return None
        headers = response.headers
        return Table(response.body, headers.get("etag"), headers.get("last-modified"))


@asynccontextmanager
async def open_rates(settings: FxSettings, resources: Resources) -> AsyncIterator[Session]:
    """Open the source; without the network nothing is opened at all."""
    if settings.offline:
        yield Session(None, settings)
        return
    own = ClientSettings(
        base_url=settings.base_url,
        budgets=(Budget(limits=(Limit("minute", 20, timedelta(minutes=1)),), concurrency=1),),
        ca_file=settings.ca_file,
        headers={
            "Accept": "application/zip, */*;q=0.1",
            "User-Agent": "pipeledger (reference rates, once a day)",
        },
        proper=must_be_archive,
        attempts=3,
        first_pause_seconds=1.0,
    )
    async with Client.open(own, auth=Nobody(), resources=resources) as client:
        yield Session(client, settings)
