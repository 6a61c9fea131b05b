"""Reading a module: oldest change first, by (modifiedtime, id), without offsets.

A record that is edited while we page moves to the end and shifts all that follow; with
offsets one of them would slip past. So each page asks anew from the last second seen, and
a second in which more records changed than a page holds is walked by id. A page's length
says nothing: joins collapse rows and permissions drop them after the LIMIT has counted,
so only an empty page is the end.

The watermark is the server's own text, never our clock: it is right whatever zone the
database keeps. What became visible late is met again within the lookback.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.base.errors import BadRecord, PaginationLoop, ProtocolError, VendorError
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.base.window import cursor_instant, instant_text
from connectors.vtiger.leaving import Leaving, begun
from connectors.vtiger.lists import missing_module
from connectors.vtiger.modules import Module
from connectors.vtiger.records import FORM, Row, by_number, earlier, landed, read_rows, record
from connectors.vtiger.session import PAGE, Rows, Session

BY_CHANGE = "modifiedtime, id"
HALF = PAGE // 2
PASSES = 6
AHEAD = timedelta(minutes=5)
REPEATED_HOUR = timedelta(hours=1)
"""Where the wall clock is set back, an hour of changes sorts before what was read."""


class Reader:
    """One read of one module: what changed, and then what left."""

    def __init__(self, session: Session, module: Module, request: ReadRequest) -> None:
        self._session = session
        self._module = module
        self._request = request
        self._zone = ZoneInfo(session.settings.time_zone)
        cursor = request.cursor if request.cursor is not None and not request.full else {}
        self._mark: dict[str, Any] = dict(cursor)
        self._columns = "*"
        self._limit = ""

    async def pages(self) -> AsyncIterator[Page]:
        """Yield changed records, then those that were deleted, converted or closed to us.

        Raises:
            AccessDenied: the module is not shown, and was read before or has to be there.
            PaginationLoop: the pages do not move on.
        """
        note = await missing_module(self._session, self._module, self._request)
        if note is not None:
            yield Page(note=note)
            return
        is_first = not self._mark
        started = await self._session.server_now(self._request.now)
        if self._module.has_lines:
            self._columns = "id, modifiedtime"
        elif self._module.kept:
            self._columns = await self._session.columns(self._module.name, self._module.kept)
        if is_first:
            # From the start of the first load on, however often it is interrupted.
            self._mark |= begun(started, self._request.now)
        self._limit = (started.astimezone(self._zone) + AHEAD).strftime(FORM)
        total = await self._session.count(self._module.name) if is_first else None
        before = self._mark.get("since")
        async for page in self._changed(total):
            yield page
        self._settle(before, started)
        leaving = Leaving(self._session, self._module, self._request, self.read_one, self._landed)
        async for page in leaving.pages(self._mark, is_first=is_first):
            yield page

    # What changed.

    async def _changed(self, total: int | None) -> AsyncIterator[Page]:
        """Up to the newest change there is, and then what was changed meanwhile.

        Each pass has an end, so that reading ends too where people edit faster than we
        read; what the last one leaves is the next run's.
        """
        low, comparison = self._since(), ">="
        for _ in range(PASSES):
            end = await self._newest()
            if end is None or (low is not None and end < low):
                return
            if end == low and (comparison == ">" or self._mark.get("settled")):
                return
            read = 0
            async for page in self._window(low, comparison, end):
                read += len(page.records)
                yield replace(page, total=total)
            if read < PAGE:
                return  # it took a moment: what was changed meanwhile is the next run's
            low, comparison = end, ">"

    async def _newest(self) -> str | None:
        """The clock of the newest change, as the server writes it; None where there is none."""
        found = await self._session.page(
            self._module.name, columns="id, modifiedtime", order="modifiedtime DESC"
        )
        rows, _ = read_rows(found.rows)
        return max((row.at for row in rows), default=None)

    async def _window(self, low: str | None, comparison: str, end: str) -> AsyncIterator[Page]:
        seen: set[str] = set()
        while True:
            until = f"modifiedtime <= '{end}'"
            since = () if low is None else (f"modifiedtime {comparison} '{low}'",)
            found = await self._page(*since, until)
            rows, rejected = read_rows(found.rows)
            if not rows:
                if rejected:
                    raise PaginationLoop(
                        f"a page of {self._module.name} has no row with a web service id"
                    )
                return
            oldest, top = min(row.at for row in rows), max(row.at for row in rows)
            is_before = low is not None and (oldest < low or (comparison == ">" and oldest == low))
            if is_before or top > end:
                raise PaginationLoop(
                    f"query of {self._module.name} from {low} to {end} shows rows of {oldest} "
                    f"to {top}: it is not obeyed"
                )
            fresh = [row for row in rows if row.id not in seen]
            # Never back: within the lookback the newest may be older than what was read. Never
            # far ahead: one record of the year 2050 would hide all later edits.
            self._mark["since"] = min(max(top, str(self._mark.get("since") or "")), self._limit)
            page = await self._landed(fresh, rejected, found)
            yield Page(page.records, dict(self._mark), rejected=page.rejected)
            if len(rows) >= HALF and top > oldest:
                # The last second is met again, whole.
                seen = {row.id for row in rows if row.at == top}
                low, comparison = top, ">="
                continue
            last = max((row for row in rows if row.at == top), key=by_number)
            async for page in self._second(last):
                yield page
            if top == end:
                return
            low, comparison, seen = top, ">", set()

    async def _second(self, last: Row) -> AsyncIterator[Page]:
        """What else changed in the second of a row, by id."""
        while True:
            found = await self._page(f"modifiedtime = '{last.at}'", f"id > '{last.id}'", order="id")
            rows, rejected = read_rows(found.rows)
            if not rows:
                return
            if min(row.number for row in rows) <= last.number:
                raise PaginationLoop(
                    f"query of {self._module.name} by id does not move past {last.id}"
                )
            yield await self._landed(rows, rejected, found)
            last = max(rows, key=by_number)

    @property
    def _lookback(self) -> timedelta:
        lookback = timedelta(minutes=self._session.settings.lookback_minutes)
        return lookback if self._zone.key == "UTC" else lookback + REPEATED_HOUR

    def _since(self) -> str | None:
        since = self._mark.get("since")
        if not since:
            return None
        since = min(str(since), self._limit)
        return since if self._mark.get("settled") else earlier(since, self._lookback)

    def _settle(self, before: str | None, started: datetime) -> None:
        """Note whether the lookback has done its work.

        Where nothing newer came, and a read that began a lookback later has looked back
        once more, nothing that is older can still appear: an import of a million records
        is not read again at every sync until somebody edits one.
        """
        now = instant_text(started)
        if before is None or before != self._mark.get("since"):
            self._mark |= {"seen_at": now, "settled": False}
            return
        seen_at = cursor_instant(self._mark, "seen_at", started)
        if seen_at is not None and started - seen_at >= self._lookback:
            self._mark["settled"] = True

    async def _page(self, *conditions: str, order: str = BY_CHANGE) -> Rows:
        return await self._session.page(
            self._module.name, *conditions, columns=self._columns, order=order
        )

    # Records.

    async def read_one(self, record_id: str) -> Page:
        """A record by id as the changed ones land; empty where it is not shown."""
        found = await self._page(f"id = '{record_id}'", order="id")
        rows, rejected = read_rows(found.rows)
        return await self._landed(rows, rejected, found)

    async def _landed(self, rows: Sequence[Row], rejected: Sequence[Rejected], found: Rows) -> Page:
        if self._module.has_lines:
            return await self._with_lines(rows, rejected)
        records: list[Record] = []
        refused = list(rejected)
        for row in rows:
            try:
                records.append(record(row, found.observed_at, self._zone, self._module.kept))
            except BadRecord as fault:
                refused.append(Rejected(row.id, fault.reason, row.raw))
        return Page(records, rejected=refused)

    async def _with_lines(self, rows: Sequence[Row], rejected: Sequence[Rejected]) -> Page:
        """The documents in full; one that is gone meanwhile is told by its delete.

        One that the server cannot show while it shows others is set aside: the comparison
        of ids asks for it again.
        """
        name = self._module.name
        asked = (self._session.fetch(row.id, name) for row in rows)
        fetched = await asyncio.gather(*asked, return_exceptions=True)
        records: list[Record] = []
        refused = list(rejected)
        faults = [one for one in fetched if isinstance(one, BaseException)]
        lasting = [one for one in faults if not isinstance(one, VendorError | ProtocolError)]
        if lasting or (faults and len(faults) == len(fetched)):
            raise (lasting or faults)[0]
        for row, one in zip(rows, fetched, strict=True):
            if isinstance(one, BaseException):
                refused.append(Rejected(row.id, str(one), row.raw))
                continue
            if one.payload is None:
                continue
            try:
                text = landed(one.payload, self._module.kept)
                # As new as the list said at least: a later edit is read again anyway.
                shown = record(row, one.observed_at, self._zone, frozenset())
            except BadRecord as fault:
                refused.append(Rejected(row.id, fault.reason, one.payload))
                continue
            records.append(Record(row.id, text, one.observed_at, "upsert", shown.source_updated_at))
        return Page(records, rejected=refused)
