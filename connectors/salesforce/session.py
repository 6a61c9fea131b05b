"""One open org: its calls, what it says of its objects, and its clock."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias
from urllib.parse import urlencode

import msgspec

from connectors.base.answer import must_be_table
from connectors.base.client import Client, Response
from connectors.base.decode import decode
from connectors.base.errors import PaginationLoop, SourceError, VendorError
from connectors.salesforce.objects import Described, Kind, described
from connectors.salesforce.settings import SalesforceSettings

Text: TypeAlias = bytes
"""JSON as it came; the session has a counter of the type's own name."""
MAX_ADDRESS = 14_000
"""Of the 16,384 bytes that address and headers may have together."""


class Answer(msgspec.Struct):
    """A page of a query."""

    done: bool
    records: list[msgspec.Raw]
    totalSize: int  # noqa: N815 - the vendor's spelling
    nextRecordsUrl: str | None = None  # noqa: N815 - the vendor's spelling


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of a page and when they arrived; ``torn`` were edited while their parts came."""

    rows: Sequence[msgspec.Raw]
    observed_at: datetime
    torn: int = 0

    @property
    def count(self) -> int:
        """How many rows the query showed."""
        return len(self.rows) + self.torn


class Session:
    """What every reader of one org shares: the client and what it learnt."""

    def __init__(self, client: Client, settings: SalesforceSettings) -> None:
        self.client = client
        self.settings = settings
        self._server_now: datetime | None = None
        self._described: dict[str, Described | None] = {}
        self._texts: dict[str, Text] = {}
        self._describing = asyncio.Lock()

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return self.client.requests

    @property
    def bytes(self) -> int:
        """Bytes received so far."""
        return self.client.bytes

    def report(self) -> Mapping[str, Any]:
        """What is left of each allowance."""
        return self.client.report()

    # Calls.

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Response:
        """GET a path of the data API, or one that the vendor gave."""
        whole = path if path.startswith("/services/") else f"{self.settings.data_path}/{path}"
        return self._seen(await self.client.get(whole, params=params or {}))

    async def table(self, path: str, params: Mapping[str, str]) -> Response:
        """GET a path of the data API that answers with a table."""
        whole = f"{self.settings.data_path}/{path}"
        accept = {"Accept": "text/csv"}
        return self._seen(
            await self.client.get(whole, params=params, headers=accept, proper=must_be_table)
        )

    async def post(self, path: str, body: Any) -> Response:
        """POST of a reading kind: a query job."""
        whole = f"{self.settings.data_path}/{path}"
        return self._seen(await self.client.post_json(whole, body))

    async def delete(self, path: str) -> None:
        """Delete what we made ourselves: a query job."""
        self._seen(await self.client.delete(f"{self.settings.data_path}/{path}"))

    def _seen(self, response: Response) -> Response:
        text = response.headers.get("date")
        if text:
            try:
                self._server_now = parsedate_to_datetime(text)
            except ValueError:
                return response
        return response

    async def server_now(self, fallback: datetime) -> datetime:
        """The org's clock at the latest answer: windows are of its time, not of ours."""
        if self._server_now is None:
            await self.get("limits")
        return self._server_now or fallback

    # Objects.

    async def describe(self, kind: Kind) -> Described | None:
        """What the org says of an object; None where it has none of that name."""
        async with self._describing:
            if kind.name not in self._described:
                self._described[kind.name] = await self._asked(kind)
            return self._described[kind.name]

    async def _asked(self, kind: Kind) -> Described | None:
        try:
            response = await self.get(f"sobjects/{kind.name}/describe")
        except VendorError as fault:
            if fault.status != 404:
                raise
            return None
        self._texts[kind.name] = response.body
        return described(kind, response.json())

    def description(self, kind: Kind) -> Text | None:
        """The describe as the org gave it."""
        return self._texts.get(kind.name)

    def room_beside(self, query: str) -> int:
        """How many more characters an address can hold; less than none where it is too long."""
        return MAX_ADDRESS - len(urlencode({"q": query})) - 1

    async def query(self, soql: str, *, with_deleted: bool = True) -> AsyncIterator[Found]:
        """All pages of a query, deleted records among them unless told otherwise.

        Raises:
            PaginationLoop: a page leads to one that was seen.
        """
        path = "queryAll" if with_deleted else "query"
        response = await self.get(path, {"q": soql})
        seen: set[str] = set()
        while True:
            answer = decode(response.body, Answer)
            yield Found(answer.records, response.observed_at)
            if answer.done:
                return
            following = answer.nextRecordsUrl
            if not following or following in seen:
                raise PaginationLoop(f"the pages of {path} do not end: {following} again")
            seen.add(following)
            response = await self.get(following)

    async def count(self, kind: Kind) -> int:
        """How many records there are, deleted ones too; 0 where the org does not count."""
        try:
            soql = f"SELECT COUNT() FROM {kind.name}"  # noqa: S608 - SOQL, a name of our own
            response = await self.get("queryAll", {"q": soql})
        except SourceError as fault:
            if fault.status != 400:
                raise
            return 0
        return decode(response.body, Answer).totalSize
