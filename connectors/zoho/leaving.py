"""What leaves a module: deleted, or no longer shown to us.

The list of deleted records tells it promptly, those that were merged into another one among
them: nothing there names the survivor. All ids are compared now and then, for what left
without a word: rights that were taken away, or deletes older than the list keeps.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import AccessDenied, BadRecord, CursorExpired, PaginationLoop
from connectors.base.stream import Page, ReadRequest, Record
from connectors.base.window import cursor_instant, instant_text
from connectors.zoho.modules import Module
from connectors.zoho.records import instant, landed, literal, read_rows
from connectors.zoho.refusals import CUT_SHORT, RefusedError
from connectors.zoho.session import Session

OVERLAP = timedelta(minutes=10)
DELETED_COST = 2
IDS_IN_A_QUERY = 100
IDS_AT_ONCE = 2_000
ASKED_AFTER = 20
ASKED_SHARE = 0.2
"""Up to so many missing records each is asked for; more look like a broken listing."""
REREAD_AT_ONCE = 5_000
"""More records than this that appeared without a change mark are worth a full read."""


class _Deleted(msgspec.Struct):
    id: str | int
    deleted_time: str | None = None


def begun(started: datetime, now: datetime) -> dict[str, Any]:
    """The marks of a first load: it shows everything, so nothing can be missing before it."""
    return {"deleted_since": instant_text(started), "swept_at": instant_text(now)}


class Leaving:
    """The end of a read: the list of deleted records, and the comparison when it is due."""

    def __init__(
        self,
        session: Session,
        module: Module,
        request: ReadRequest,
        read_ids: Callable[[Sequence[str]], AsyncIterator[Page]],
    ) -> None:
        """``read_ids`` gives records as the reader of changes lands them."""
        self._session = session
        self._module = module
        self._request = request
        self._read_ids = read_ids

    async def pages(
        self, mark: dict[str, Any], started: datetime, *, is_first: bool
    ) -> AsyncIterator[Page]:
        """Yield what left since ``mark``, and move it.

        Args:
            mark: the cursor under way; its ``deleted_since`` and ``swept_at`` are ours.
            started: the vendor's clock when the read began.
            is_first: everything has just been read, so nothing can be missing.
        """
        request = self._request
        if is_first and not request.full:
            yield Page(cursor=dict(mark))
            return
        is_cut = False
        try:
            async for page in self._told(mark):
                yield page
        except RefusedError as fault:
            if fault.code not in CUT_SHORT:
                raise
            is_cut = True
        mark["deleted_since"] = instant_text(started)
        if is_cut or request.full or self._is_due(mark):
            async for page in self._compared(mark):
                yield page
        else:
            yield Page(cursor=dict(mark))

    def _is_due(self, mark: dict[str, Any]) -> bool:
        hours = self._session.settings.sweep_hours
        swept_at = cursor_instant(mark, "swept_at", self._request.now)
        if swept_at is None:
            return True
        return hours > 0 and self._request.now - swept_at >= timedelta(hours=hours)

    # Told by the server.

    async def _told(self, mark: dict[str, Any]) -> AsyncIterator[Page]:
        now = self._request.now
        since = cursor_instant(mark, "deleted_since", now)
        header = None if since is None else literal(since - OVERLAP)
        known = set(self._request.live_ids())
        async for page in self._session.pages(
            f"{self._module.name}/deleted", "data", {"type": "all"}, cost=DELETED_COST, since=header
        ):
            gone: dict[str, datetime | None] = {}
            for raw in page.rows:
                one = partial(raw, _Deleted)
                if str(one.id) in known:
                    gone[str(one.id)] = instant(one.deleted_time)
            # One that was restored meanwhile may still be listed.
            there = await self._shown(sorted(gone))
            yield Page(
                [
                    Record(one, None, page.observed_at, "deleted", at)
                    for one, at in gone.items()
                    if one not in there
                ]
            )

    async def _shown(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that a query shows now."""
        shown: set[str] = set()
        for start in range(0, len(ids), IDS_IN_A_QUERY):
            part = ids[start : start + IDS_IN_A_QUERY]
            select = f"select id from {self._module.name} where id in ({', '.join(part)})"  # noqa: S608 - ids of ours
            page = await self._session.query(select, 200)
            shown |= {row.id for row in read_rows(page.rows)[0]}
        return shown

    # Found by comparing ids.

    async def _compared(self, mark: dict[str, Any]) -> AsyncIterator[Page]:
        request = self._request
        listed = await self._listed()
        expected = set(request.listed_ids())
        missing = sorted(expected - listed)
        # Converted ones and those closed to us are in no list and have been told already.
        others = set(request.live_ids()) - expected
        present = listed | others
        if len(missing) <= max(ASKED_AFTER, ASKED_SHARE * len(expected)):
            for one in missing:
                fate = await self._fate(one)
                if fate is not None and fate.change == "deleted":
                    continue  # by the guard of deletes
                present.add(one)
                if fate is not None:
                    yield Page([fate])
        unknown = sorted(listed - expected - others)
        if len(unknown) > REREAD_AT_ONCE and request.cursor is not None and not request.full:
            raise CursorExpired(
                f"{len(unknown)} records of {self._module.name} appeared without a change mark "
                "(shown to this user now): everything is read again"
            )
        async for page in self._read_ids(unknown):
            yield page
        mark["swept_at"] = instant_text(request.now)
        yield Page(cursor=dict(mark), complete_ids=sorted(present))

    async def _fate(self, record_id: str) -> Record | None:
        """What became of a record that is in no list; None where it is still there."""
        try:
            found = await self._session.one(self._module.name, record_id, budget="singly")
        except AccessDenied as fault:
            if fault.whole_source:
                raise
            return Record(record_id, None, self._request.now, "access_lost")
        if found is None:
            return Record(record_id, None, self._request.now, "deleted")
        rows, _ = read_rows(found.rows)
        if self._module.converts and rows and _is_converted(rows[0].raw):
            records, _ = landed(rows[:1], found.observed_at, "converted")
            return records[0] if records else None
        return None

    async def _listed(self) -> set[str]:
        """Every id that a query shows now."""
        listed: set[str] = set()
        last = 0
        while True:
            where = f"id > {last}" if last else "id is not null"
            select = f"select id from {self._module.name} where {where} order by id asc"  # noqa: S608 - ids of ours
            page = await self._session.query(select, IDS_AT_ONCE)
            rows, _ = read_rows(page.rows)
            listed.update(row.id for row in rows)
            if not page.more:
                return listed
            if not rows or rows[-1].number <= last:
                raise PaginationLoop(f"the ids of {self._module.name} do not move past {last}")
            last = rows[-1].number


class _Conversion(msgspec.Struct):
    told: bool | None = msgspec.field(name="$converted", default=None)
    Converted__s: bool | None = None


def _is_converted(raw: bytes) -> bool:
    try:
        found = partial(raw, _Conversion)
    except BadRecord:
        return False
    return bool(found.told or found.Converted__s)
