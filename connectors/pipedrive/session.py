"""Asking Pipedrive: its two envelopes, v2 with a cursor and v1 with an offset."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from connectors.base.client import Client, Response
from connectors.base.decode import decode
from connectors.base.errors import ProtocolError, SourceError
from connectors.base.paging import CursorPages, RawPage
from connectors.pipedrive.settings import PipedriveSettings


class _Offsets(msgspec.Struct):
    start: int = 0
    limit: int = 0
    more_items_in_collection: bool = False
    next_start: int | None = None

    @property
    def following(self) -> str | None:
        """Where the next page begins; rows that we may not see take up places too."""
        if not self.more_items_in_collection:
            return None
        return str(self.start + self.limit if self.next_start is None else self.next_start)


class _More(msgspec.Struct):
    next_cursor: str | None = None
    pagination: _Offsets | None = None


class Envelope(msgspec.Struct):
    """Any answer. ``data`` must be there, but v1 says null for an empty list."""

    data: msgspec.Raw
    success: bool = True
    error: Any = None
    additional_data: _More | None = None

    @property
    def content(self) -> bytes:
        """What ``data`` holds.

        Raises:
            ProtocolError: a refusal under a 200, or nothing.
        """
        if not self.success:
            raise ProtocolError(f"a 200 that says success false: {str(self.error)[:200]!r}")
        data = bytes(self.data)
        if data == b"null":
            raise ProtocolError("a 200 whose data is null")
        return data

    @property
    def rows(self) -> list[msgspec.Raw]:
        """The rows of a list; null is an empty one only beside what tells the next page.

        Raises:
            ProtocolError: a refusal under a 200, or no list.
        """
        if self.success and bytes(self.data) == b"null" and self.additional_data is not None:
            return []
        return decode(self.content, list[msgspec.Raw])


CURSORS = CursorPages(
    Envelope,
    rows=lambda page: page.rows,
    next=lambda page: page.additional_data.next_cursor if page.additional_data else None,
)


def _next_start(page: Envelope) -> str | None:
    more = page.additional_data.pagination if page.additional_data else None
    return more.following if more else None


OFFSETS = CursorPages(Envelope, rows=lambda page: page.rows, next=_next_start)


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list that v1 pages by offset."""

    rows: Sequence[msgspec.Raw]
    observed_at: datetime
    is_last: bool


class Session:
    """An open company."""

    def __init__(self, client: Client, settings: PipedriveSettings) -> None:
        self.client = client
        self.settings = settings
        # The common host has v1 at /v1, a company's own at /api/v1; v2 is at /api/v2 on both.
        is_common = httpx.URL(settings.base_url).host == "api.pipedrive.com"
        self._v1 = "/v1/" if is_common else "/api/v1/"

    async def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        cost: int,
        budget: str = "default",
        ok: frozenset[int] = frozenset({200}),
    ) -> Response:
        """GET at a cost in tokens; a path begins with /v1/ or /api/v2/."""
        if path.startswith("/v1/"):
            path = self._v1 + path.removeprefix("/v1/")
        return await self.client.get(path, params=params or {}, cost=cost, budget=budget, ok=ok)

    def pages(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        cost: int,
        budget: str = "default",
    ) -> AsyncIterator[RawPage[Envelope]]:
        """Follow ``next_cursor``; the parameters go with every page, as the vendor wants."""
        asked = {"limit": str(self.settings.page_size), **params}

        async def fetch(token: str | None) -> Response:
            more = {} if token is None else {"cursor": token}
            return await self.get(path, {**asked, **more}, cost=cost, budget=budget)

        return CURSORS.read(fetch)

    async def offset_pages(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        cost: int,
        is_paged: bool = True,
    ) -> AsyncGenerator[Listed, None]:
        """All v1 pages by offset; rows may shift under way.

        A list that the vendor does not page is asked without ``start`` and ``limit``.
        """

        async def fetch(token: str | None) -> Response:
            asked = dict(params)
            if is_paged or token is not None:
                asked |= {"start": token or "0", "limit": str(self.settings.page_size)}
            return await self.get(path, asked, cost=cost)

        async for page in OFFSETS.read(fetch):
            yield Listed(page.rows, page.response.observed_at, page.next is None)

    async def one(self, path: str, *, cost: int) -> tuple[bytes | None, datetime]:
        """A record by its id; None where the vendor does not know it any more."""
        response = await self.get(path, cost=cost, ok=frozenset({200, 404, 410}))
        if response.status != 200:
            return None, response.observed_at
        return response.decode(Envelope).content, response.observed_at


def instant(text: str | None) -> datetime | None:
    """A time of v1 (no zone, UTC) or v2 (RFC 3339); None where there is none."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def second_text(moment: datetime) -> str:
    """An instant as v2 filters want it: whole seconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_lacking(fault: SourceError) -> bool:
    """Whether a refusal says that the company has no such feature, not that we may not."""
    if fault.status in {404, 410}:
        return True
    said = str(fault).lower()
    return fault.status == 403 and any(
        word in said for word in ("plan", "feature", "suite", "upgrade", "subscription")
    )
