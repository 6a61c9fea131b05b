"""Reading lists: documents by change, oldest change first; settings whole.

A page number is no place to go on from: a record that is edited moves to the end of the order,
all behind it move up by one, and the first of the next page slips into one that was read.
Hence the next page is asked for by time: If-Modified-Since a second before the newest row seen,
page 1 again. Only where a whole page lies within that second (or the header is not obeyed to
the second) is page 2 asked for, and then the pass is read again if anything changed under it.

A cursor holds ``since``: all that changed up to then was read. ``whole`` is how far a read of
everything has come, the first load too; ``whole_at`` is when one was last done.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from connectors.base.errors import PaginationLoop
from connectors.base.stream import Page, ReadRequest
from connectors.base.window import cursor_instant, instant_text
from connectors.xero.kinds import BY_STREAM, Kind
from connectors.xero.payload import instant, read
from connectors.xero.records import Rows, rows_of
from connectors.xero.session import NEWEST_FIRST, Answer, Session, server_time

SECOND = timedelta(seconds=1)
SETTLE = timedelta(minutes=2)
"""What changed so lately is read again, whatever its own clock says."""
PASSES = 3
"""So often pages are read again that moved under the reader; then the next full read helps."""
MAX_PAGES = 100_000


def read_kind(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Read the list behind the stream."""
    kind = BY_STREAM[request.stream.name]
    if kind.is_whole:
        return _whole_list(session, kind)
    return _Reader(session, kind, request).pages()


async def _whole_list(session: Session, kind: Kind) -> AsyncIterator[Page]:
    """A small list in one answer; what is missing from it was deleted."""
    answer = await session.page(kind, None, order=None)
    rows = rows_of(kind, answer.rows, answer.response.observed_at)
    ids = None if rows.rejected else rows.ids
    note = "something is set aside: deletes are not looked for" if rows.rejected else None
    at = instant_text(server_time(answer.response))
    yield Page(rows.records, {"read_at": at}, rejected=rows.rejected, complete_ids=ids, note=note)


class _Reader:
    """Reads one list of documents in one run."""

    def __init__(self, session: Session, kind: Kind, request: ReadRequest) -> None:
        self._session = session
        self._kind = kind
        self._request = request
        self._cursor: dict[str, Any] = {} if request.full else dict(request.cursor or {})
        self._limit: datetime | None = None
        self._newest: datetime | None = None

    async def pages(self) -> AsyncIterator[Page]:
        """Yield all that changed since the cursor, or everything where that is due."""
        now = self._request.now
        since = cursor_instant(self._cursor, "since", now)
        reached = cursor_instant(self._cursor, "whole", now)
        lookback = timedelta(minutes=self._session.settings.lookback_minutes)
        is_whole = since is None or reached is not None or self._is_due(now)
        start = reached if is_whole else since
        low = None if start is None else start - lookback
        walk = self._walk(low) if self._kind.is_paged else self._in_one(low)
        async for rows, top in walk:
            cursor = None
            if top is not None:
                at = instant_text(min(top, self._limit or top))
                cursor = {**self._cursor, "whole" if is_whole else "since": at}
            yield Page(rows.records, cursor, rejected=rows.rejected)
        known = [one for one in (since, reached, self._settled()) if one is not None]
        done: dict[str, Any] = {"since": instant_text(max(known))} if known else {}
        whole_at = instant_text(now) if is_whole else self._cursor.get("whole_at")
        yield Page(cursor={**done, "whole_at": whole_at})

    def _is_due(self, now: datetime) -> bool:
        days = self._session.settings.reread_days
        whole_at = cursor_instant(self._cursor, "whole_at", now)
        return bool(days) and (whole_at is None or now - whole_at >= timedelta(days=days))

    def _settled(self) -> datetime | None:
        """The newest change seen, but never what may still move."""
        if self._newest is None:
            return None
        return min(self._newest, self._limit or self._newest)

    async def _in_one(self, low: datetime | None) -> AsyncIterator[tuple[Rows, datetime | None]]:
        """A list without pages."""
        answer = await self._session.page(self._kind, None, since=low)
        yield self._taken(answer), None

    async def _walk(self, low: datetime | None) -> AsyncIterator[tuple[Rows, datetime | None]]:
        """Rows from ``low`` on, with the instant up to which all has been read after them.

        Raises:
            PaginationLoop: one page came twice, or there is no end.
        """
        number, tries, began, before = 1, 0, None, None
        by_time = True
        for _ in range(MAX_PAGES):
            answer = await self._session.page(self._kind, number, since=low)
            began = began or server_time(answer.response)
            rows = self._taken(answer)
            if number > 1 and rows.ids and rows.ids == before:
                raise PaginationLoop(
                    f"{self._kind.path}: pages {number - 1} and {number} are the same"
                )
            before = rows.ids
            is_last = not answer.rows if answer.has_more is None else not answer.has_more
            # Rows out of order prove nothing of what lies before them, and a header that is not
            # obeyed to the second would begin anew with every step.
            by_time = by_time and _is_ordered(rows, None if number > 1 else low)
            top = _next_low(rows, low) if by_time and answer.rows and not is_last else None
            if top is None and not is_last:
                yield rows, None
                number += 1
                continue
            if number > 1 and tries < PASSES and await self._moved_since(began):
                # Somebody moved a row from one of these pages: another may have slipped by.
                yield rows, None
                number, tries, began, before = 1, tries + 1, None, None
                continue
            yield rows, top
            if top is None:
                return
            low, number, tries, began, before = top, 1, 0, None, None
        raise PaginationLoop(f"{self._kind.path}: no end after {MAX_PAGES} pages")

    async def _moved_since(self, began: datetime) -> bool:
        """Whether any record of the list changed since a moment of the server's clock."""
        since = began - 2 * SECOND
        answer = await self._session.page(self._kind, 1, since=since, order=NEWEST_FIRST, size=1)
        times = (instant(read(bytes(raw)).get("UpdatedDateUTC")) for raw in answer.rows)
        return any(one is None or one >= since for one in times)

    def _taken(self, answer: Answer) -> Rows:
        if self._limit is None:
            self._limit = server_time(answer.response) - SETTLE
        rows = rows_of(self._kind, answer.rows, answer.response.observed_at)
        seen = [one for one in rows.times if one is not None]
        if seen:
            self._newest = max(seen) if self._newest is None else max(*seen, self._newest)
        return rows


def _is_ordered(rows: Rows, low: datetime | None) -> bool:
    """Whether every row has a clock, none goes back, and none lies before what was asked for."""
    times = [one for one in rows.times if one is not None]
    if len(times) < len(rows.times) or times != sorted(times):
        return False
    return low is None or not times or times[0] >= low - SECOND


def _next_low(rows: Rows, low: datetime | None) -> datetime | None:
    """From when on to ask for the next page; None where no second is finished."""
    top = max(one for one in rows.times if one is not None).replace(microsecond=0) - SECOND
    return top if low is None or top > low.replace(microsecond=0) else None
