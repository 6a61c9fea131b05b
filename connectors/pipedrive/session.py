"""Asking Pipedrive: its two envelopes, v2 with a cursor and v1 with an offset."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from connectors.base.client import Client, Response
from connectors.base.errors import PaginationLoop, ProtocolError, SourceError
from connectors.base.paging import CursorPages, RawPage
from connectors.pipedrive.kinds import V2_ONE_COST, Kind
from connectors.pipedrive.settings import PipedriveSettings


class _Offsets(msgspec.Struct):
    start: int = 0
    more_items_in_collection: bool = False
    next_start: int | None = None


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
    def rows(self) -> list[msgspec.Raw]:
        """The rows of a list.

        Raises:
            ProtocolError: a refusal under a 200, or no list.
        """
        if not self.success:
            raise ProtocolError(f"a 200 that says success false: {str(self.error)[:200]!r}")
        try:
            return msgspec.json.decode(self.data, type=list[msgspec.Raw] | None) or []
        except msgspec.MsgspecError as fault:
            raise ProtocolError(f"no list of rows: {fault}") from None


CURSORS = CursorPages(
    Envelope,
    rows=lambda page: page.rows,
    next=lambda page: page.additional_data.next_cursor if page.additional_data else None,
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list; ``next_start`` None on the last one."""

    rows: Sequence[msgspec.Raw]
    observed_at: datetime
    next_start: int | None = None


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

    async def offset_page(
        self, path: str, params: Mapping[str, str], start: int, *, cost: int
    ) -> Listed:
        """One v1 page from an offset."""
        asked = {**params, "start": str(start), "limit": str(self.settings.page_size)}
        response = await self.get(path, asked, cost=cost)
        page = response.decode(Envelope)
        rows = page.rows
        more = page.additional_data.pagination if page.additional_data else None
        if more is None or not more.more_items_in_collection:
            return Listed(rows, response.observed_at)
        after = more.next_start if more.next_start is not None else start + len(rows)
        if after <= start:
            raise PaginationLoop(f"{path} does not move on from {start}")
        return Listed(rows, response.observed_at, after)

    async def offset_pages(
        self, path: str, params: Mapping[str, str], *, cost: int
    ) -> AsyncIterator[Listed]:
        """All v1 pages; rows may shift under way, so only for what is read whole."""
        start: int | None = 0
        while start is not None:
            page = await self.offset_page(path, params, start, cost=cost)
            yield page
            start = page.next_start

    async def one(self, kind: Kind, record_id: str) -> tuple[bytes | None, datetime]:
        """A record by its id; None where the vendor does not know it any more."""
        response = await self.get(
            f"{kind.path}/{record_id}", cost=V2_ONE_COST, ok=frozenset({200, 404, 410})
        )
        if response.status != 200:
            return None, response.observed_at
        data = bytes(response.decode(Envelope).data)
        return (None if data == b"null" else data), response.observed_at


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
