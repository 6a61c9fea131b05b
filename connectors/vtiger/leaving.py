"""What leaves a module: deleted, converted, or no longer shown to us.

No query shows it. ``sync`` tells deletes promptly where it works (on PHP 8 an unpatched
release cannot bind its arguments), and all ids are compared now and then. A lead that was
converted leaves like a deleted one, but can still be fetched by its id; a record that this
user may not see any more is refused in other words than one that is gone.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.base.errors import BadRecord, CursorExpired, PaginationLoop, SourceError
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.base.window import cursor_instant, instant_text
from connectors.vtiger.modules import Module
from connectors.vtiger.records import Row, by_number, landed, read_rows
from connectors.vtiger.session import Rows, Session, is_about_sync

OVERLAP_SECONDS = 600
"""A transaction commits after the second that it stamped."""
ASKED_AFTER = 20
ASKED_SHARE = 0.2
"""Up to so many missing records each is asked for; more look like a broken listing."""
REREAD_AT_ONCE = 200
"""More records than this that appeared without a change mark are worth a full read."""


def begun(started: datetime, now: datetime) -> dict[str, Any]:
    """The marks of a first load: it shows everything, so nothing can be missing before it.

    Args:
        started: the server's clock when it began.
        now: the run's clock.
    """
    return {"synced": int(started.timestamp()), "swept_at": instant_text(now)}


class Leaving:
    """The end of a read: deletes by ``sync``, and the comparison of ids when it is due."""

    def __init__(
        self,
        session: Session,
        module: Module,
        request: ReadRequest,
        read_one: Callable[[str], Awaitable[Page]],
        land: Callable[[Sequence[Row], Sequence[Rejected], Rows], Awaitable[Page]],
    ) -> None:
        """``read_one`` and ``land``: a record, and rows, as the reader of changes lands them."""
        self._session = session
        self._module = module
        self._request = request
        self._read_one = read_one
        self._land = land

    async def pages(self, mark: dict[str, Any], *, is_first: bool) -> AsyncIterator[Page]:
        """Yield what left since ``mark``, and move it.

        Args:
            mark: the cursor under way; its ``synced`` and ``swept_at`` are ours.
            is_first: everything has just been read, so nothing can be missing.
        """
        request = self._request
        if is_first and not request.full:
            yield Page(cursor=dict(mark))
            return
        async for page in self._told(mark):
            yield page
        if request.full or self._is_due(mark):
            async for page in self._compared(mark):
                yield page
        else:
            yield Page(cursor=dict(mark))

    def _is_due(self, mark: dict[str, Any]) -> bool:
        hours = self._session.settings.sweep_hours
        if not hours:
            return False
        # Where deletes are told, the comparison only guards against what was purged.
        is_daily = self._session.no_sync or self._module.moves_unmarked
        every = timedelta(hours=hours if is_daily else 7 * hours)
        swept_at = cursor_instant(mark, "swept_at", self._request.now)
        return swept_at is None or self._request.now - swept_at >= every

    # Told by the server.

    async def _told(self, mark: dict[str, Any]) -> AsyncIterator[Page]:
        session = self._session
        if session.no_sync is None and (await session.user()).is_admin is False:
            session.no_sync = "sync of everything is for administrators"
        at = int(mark.get("synced") or 0)
        since = max(0, at - OVERLAP_SECONDS)
        more = session.no_sync is None
        while more:
            try:
                deleted, reached, more = await session.deletions(self._module.name, since)
            except SourceError as fault:
                if not is_about_sync(fault):
                    raise
                session.no_sync = f"sync does not work here ({fault})"
                break
            if more and reached <= since:
                raise PaginationLoop(
                    f"sync of {self._module.name} promises more and stays at {reached}"
                )
            if deleted:
                yield Page(await self._fates(deleted))
            since = reached
            mark["synced"] = max(at, reached)

    async def _fates(self, ids: Sequence[str]) -> list[Record]:
        """What became of records that ``sync`` calls deleted."""
        expected = set(self._request.listed_ids())
        known = [one for one in dict.fromkeys(ids) if one in expected]
        if not self._module.converts:
            now = self._request.now
            return [Record(one, None, now, "deleted") for one in known]
        return [fate for one in known if (fate := await self._fate(one)) is not None]

    async def _fate(self, record_id: str) -> Record | None:
        """What became of a record that is in no list; None where it is still there."""
        found = await self._session.fetch(record_id, self._module.name)
        if found.fate == "gone":
            return Record(record_id, None, found.observed_at, "deleted")
        if found.fate == "closed":
            return Record(record_id, None, found.observed_at, "access_lost")
        if not self._module.converts or found.payload is None:
            return None
        try:
            text = landed(found.payload, self._module.kept)
        except BadRecord:
            text = None
        return Record(record_id, text, found.observed_at, "converted")

    # Found by comparing ids.

    async def _compared(self, mark: dict[str, Any]) -> AsyncIterator[Page]:
        request = self._request
        # A full read has just shown all of it.
        is_shown_whole = self._module.moves_unmarked and not request.full
        listed: set[str] = set()
        async for rows, found in self._listed("*" if is_shown_whole else "id"):
            listed.update(row.id for row in rows)
            if is_shown_whole:
                yield await self._land(rows, (), found)
        expected = set(request.listed_ids())
        missing = sorted(expected - listed)
        # Converted and closed ones are in no list and have been told already.
        present = listed | (set(request.live_ids()) - expected)
        if len(missing) <= max(ASKED_AFTER, ASKED_SHARE * len(expected)):
            fates = [(one, await self._fate(one)) for one in missing]
            told = [fate for _, fate in fates if fate is not None]
            yield Page([fate for fate in told if fate.change != "deleted"])
            gone = {fate.record_id for fate in told if fate.change == "deleted"}
            present |= {one for one, _ in fates if one not in gone}
        unknown = sorted(listed - expected)
        if len(unknown) > REREAD_AT_ONCE and request.cursor is not None and not request.full:
            raise CursorExpired(
                f"{len(unknown)} records of {self._module.name} appeared without a change mark "
                "(restored, or shown to this user now): everything is read again"
            )
        for one in unknown:
            yield await self._read_one(one)
        mark["swept_at"] = instant_text(request.now)
        yield Page(cursor=dict(mark), complete_ids=sorted(present | listed))

    async def _listed(self, columns: str) -> AsyncIterator[tuple[Sequence[Row], Rows]]:
        """Every record that a query shows now, page by page in order of the id."""
        last: Row | None = None
        while True:
            conditions = () if last is None else (f"id > '{last.id}'",)
            name = self._module.name
            found = await self._session.page(name, *conditions, columns=columns)
            rows, _ = read_rows(found.rows)
            if not rows:
                return
            if last is not None and min(row.number for row in rows) <= last.number:
                raise PaginationLoop(f"the ids of {name} do not move past {last.id}")
            last = max(rows, key=by_number)
            yield rows, found
