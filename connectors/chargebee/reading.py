"""First a whole list, then windows of what changed, each read to its end.

The list is asked for in an order that no edit changes (created_at, date or id), so that
the offset, which is a keyset, loses nothing when records are edited under way. It is asked
for without a filter: records that were never changed since 2016 have no updated_at, and a
filter would leave them out for ever.

A window of changes is ``updated_at[between]``, inclusive at both ends, from ten minutes
before the last one's end to five minutes before now: the vendor's lists lag by that much.
Within it the same order holds, so any number of records of one second is paged well; a
record that changes meanwhile is met in the next window.

A cursor holds ``since``, the end of the last whole window; ``window`` and ``offset`` where
one was left; ``swept_at``. In the first load it holds ``began`` and ``offset``.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import CursorExpired, VendorError
from connectors.base.stream import Page, ReadRequest, Record
from connectors.base.window import Window, cursor_instant, instant_text, window_since
from connectors.chargebee.kinds import BY_NAME, Kind
from connectors.chargebee.records import from_epoch, page_of
from connectors.chargebee.session import NotEnabledError, Session

LOOKBACK = timedelta(minutes=10)
SETTLE = timedelta(minutes=5)
STEP = timedelta(days=1)
NARROWEST = timedelta(minutes=1)
"""A window that the vendor cannot answer in time is halved down to this."""
EVENTS_REACH = timedelta(days=89)


class _Event(msgspec.Struct):
    occurred_at: int
    content: dict[str, msgspec.Raw]


def read_kind(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Read the list that bears the stream's name."""
    return _Reader(session, BY_NAME[request.stream.name], request).pages()


class _Reader:
    """Reads one kind in one run."""

    def __init__(self, session: Session, kind: Kind, request: ReadRequest) -> None:
        self._session = session
        self._kind = kind
        self._request = request
        self._cursor: dict[str, Any] = {} if request.full else dict(request.cursor or {})

    async def pages(self) -> AsyncIterator[Page]:
        """Yield all of the list, or what changed since the cursor.

        Raises:
            NotEnabledError: the site had the feature, and has it no more.
        """
        kind = self._kind
        if kind.catalog is not None:
            catalog = await self._session.catalog()
            if catalog != kind.catalog:
                yield Page(note=f"skipped: the site has Product Catalog {catalog}")
                return
        now = await self._session.now(self._request.now)
        try:
            async for page in self._all_pages(now):
                yield page
        except NotEnabledError as fault:
            if not kind.is_optional or self._request.cursor is not None:
                raise
            yield Page(note=f"skipped: {fault}")

    async def _all_pages(self, now: datetime) -> AsyncIterator[Page]:
        since = cursor_instant(self._cursor, "since", self._request.now)
        if since is None:
            async for page in self._whole(now):
                yield page
            return
        if self._kind.deleted_event is not None and self._is_due(since):
            async for page in self._compared(now):
                yield page
            return
        async for page in self._changed(since, now):
            yield page

    # All of it.

    async def _whole(self, now: datetime) -> AsyncIterator[Page]:
        """The list from where the cursor stopped; what changes meanwhile comes after it."""
        began = cursor_instant(self._cursor, "began", self._request.now)
        offset = self._cursor.get("offset") if began is not None else None
        began = began or now
        try:
            async for page in self._list((), offset, {"began": instant_text(began)}):
                yield page
        except CursorExpired:
            if offset is None:
                raise
            began = now
            async for page in self._list((), None, {"began": instant_text(began)}):
                yield page
        yield Page(cursor=self._mark(began, swept_at=began))

    async def _compared(self, now: datetime) -> AsyncIterator[Page]:
        """A small list whole, and what is missing from it."""
        ids: list[str] = []
        kind = self._kind
        async for raw in self._session.pages(kind.path, kind.list_params):
            rows, at = raw.rows, raw.response.observed_at
            page, heads = await page_of(self._session, kind, rows, at)
            ids += [head.id for head in heads]
            # One that cannot be read is there all the same.
            ids += [one.record_id for one in page.rejected if one.record_id is not None]
            yield page
        yield Page(cursor=self._mark(now, swept_at=now), complete_ids=ids)

    def _is_due(self, since: datetime) -> bool:
        now = self._request.now
        swept_at = cursor_instant(self._cursor, "swept_at", now) or since
        every = timedelta(days=self._session.settings.sweep_days)
        return now - swept_at >= min(every, EVENTS_REACH)

    # What changed.

    async def _changed(self, since: datetime, now: datetime) -> AsyncIterator[Page]:
        left = self._cursor.get("window")
        if left is not None:
            # Where the last run stopped: its window is finished before the next one begins.
            window = Window(from_epoch(left[0]), from_epoch(left[1]))
            async for page in self._window(window, since, self._cursor.get("offset")):
                yield page
            since = window.until
            yield Page(cursor=self._mark(since))
        whole = window_since(since, now, lookback=LOOKBACK, settle=SETTLE)
        for window in whole.split(STEP):
            async for page in self._window(window, since, None):
                yield page
            since = max(since, window.until)
            yield Page(cursor=self._mark(since))

    async def _window(
        self, window: Window, since: datetime, offset: str | None
    ) -> AsyncIterator[Page]:
        """One window, in halves where the vendor is too slow for the whole."""
        try:
            async for page in self._one_window(window, since, offset):
                yield page
        except CursorExpired:
            if offset is None:
                raise
            async for page in self._window(window, since, None):
                yield page
        except VendorError as fault:
            is_slow = fault.status in {None, 504}
            if not is_slow or window.until - window.since <= NARROWEST:
                raise
            for half in window.halves():
                async for page in self._window(half, since, None):
                    yield page

    async def _one_window(
        self, window: Window, since: datetime, offset: str | None
    ) -> AsyncIterator[Page]:
        kind = self._kind
        first, last = int(window.since.timestamp()), int(window.until.timestamp())
        between = f"[{first},{last}]"
        mark = {**self._mark(since), "window": [first, last]}
        shown: set[str] = set()
        params = ((f"{kind.clock}[between]", between),)
        async for page in self._list(params, offset, mark):
            shown.update(record.record_id for record in page.records)
            yield page
        if kind.deleted_event is not None:
            gone = [one async for one in self._deletes(kind.deleted_event, between)]
            # An id may be used again: what the list shows is not gone.
            yield Page([one for one in gone if one.record_id not in shown])

    async def _deletes(self, event: str, between: str) -> AsyncIterator[Record]:
        """What the event log says was deleted in a window."""
        params = (
            ("event_type[is]", event),
            ("occurred_at[between]", between),
            ("sort_by[asc]", "occurred_at"),
        )
        async for page in self._session.pages("/events", params):
            for row in page.rows:
                told = partial(partial(row, dict[str, msgspec.Raw])["event"], _Event)
                subject = told.content.get(self._kind.key)
                if subject is None:
                    continue
                gone = partial(subject, _Subject).id
                at = from_epoch(told.occurred_at)
                yield Record(gone, None, page.response.observed_at, "deleted", at)

    # Both.

    async def _list(
        self, params: tuple[tuple[str, str], ...], offset: str | None, mark: dict[str, Any]
    ) -> AsyncIterator[Page]:
        """Pages of the list; ``mark`` with the next offset is the cursor of each."""
        kind = self._kind
        asked = (*kind.list_params, *params)
        async for raw in self._session.pages(kind.path, asked, offset):
            rows, at = raw.rows, raw.response.observed_at
            page, _ = await page_of(self._session, kind, rows, at)
            cursor = None if raw.next is None else {**mark, "offset": raw.next}
            yield Page(page.records, cursor, page.children, page.rejected)

    def _mark(self, since: datetime, swept_at: datetime | None = None) -> dict[str, Any]:
        """The cursor of a stream that has read all up to ``since``."""
        swept = instant_text(swept_at) if swept_at is not None else self._cursor.get("swept_at")
        return {"since": instant_text(since), "swept_at": swept}


class _Subject(msgspec.Struct):
    id: str
