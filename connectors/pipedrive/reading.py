"""Reading what v2 lists by update_time: what changed, what went, and now and then all of it.

A cursor holds ``since`` (and ``archived_since``), the newest update_time landed, in the
vendor's own clock; ``recent`` up to which /v1/recents was asked; ``swept_at``.

A walk goes by update_time ascending, from ``since`` with an overlap. The vendor's page
token is a keyset of (update_time, id), so hundreds of rows of one second are paged well,
and a row edited under way moves to the end and is met again. Each page's newest
update_time is a resume point: the bound is inclusive, so ties are read again.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import AccessDenied, BadRecord
from connectors.base.stream import Page, ReadRequest, Record
from connectors.base.window import cursor_instant, instant_text
from connectors.pipedrive.kinds import (
    BY_NAME,
    V1_LIST_COST,
    V2_ONE_COST,
    Kind,
)
from connectors.pipedrive.records import collect, judged
from connectors.pipedrive.session import Session, second_text

LOOKBACK = timedelta(minutes=5)
RECENTS_REACH = timedelta(days=29)
MOST_ASKED_SINGLY = 500
"""Missing records that one comparison asks for by id; the others wait for the next one."""


class _Recent(msgspec.Struct):
    id: int | str
    data: Any = None


def read_kind(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Read the v2 list that bears the stream's name."""
    return _Reader(session, BY_NAME[request.stream.name], request).pages()


def walk_params(kind: Kind, since: datetime | None) -> dict[str, str]:
    """A walk's parameters by update_time ascending, from an inclusive bound."""
    params = {"sort_by": "update_time", "sort_direction": "asc"}
    if kind.statuses:
        params["status"] = kind.statuses
    if kind.fields:
        params["include_fields"] = kind.fields
    if since is not None:
        params["updated_since"] = second_text(since)
    return params


class _Reader:
    """Reads one kind in one run."""

    def __init__(self, session: Session, kind: Kind, request: ReadRequest) -> None:
        self._session = session
        self._kind = kind
        self._request = request
        stored = {} if request.full else dict(request.cursor or {})
        self._is_first = not stored
        self._cursor: dict[str, Any] = stored

    async def pages(self) -> AsyncIterator[Page]:
        """What changed, what was deleted, and all of it where that is due."""
        if not self._kind.is_bounded:
            async for page in self._sweep():
                yield page
            yield Page(cursor={"swept_at": instant_text(self._request.now)})
            return
        for (path, cost), key in zip(self._kind.lists, ("since", "archived_since"), strict=False):
            async for page in self._walk(path, key, cost):
                yield page
        if self._session.settings.recents and not self._is_first:
            async for page in self._recents():
                yield page
        self._cursor["recent"] = instant_text(self._request.now)
        if self._is_sweep_due():
            async for page in self._sweep():
                yield page
            self._cursor["swept_at"] = instant_text(self._request.now)
        elif self._is_first:
            # The first walk has just seen everything, and nothing could be missing from it.
            self._cursor["swept_at"] = instant_text(self._request.now)
        yield Page(cursor=dict(self._cursor))

    def _at(self, key: str) -> datetime | None:
        return cursor_instant(self._cursor, key, self._request.now)

    def _is_sweep_due(self) -> bool:
        hours = self._session.settings.sweep_hours
        last = self._at("swept_at")
        if last is None:
            # An interrupted first load saw everything in parts: compare once.
            return not self._is_first or self._request.full
        return hours > 0 and self._request.now - last >= timedelta(hours=hours)

    async def _walk(self, path: str, key: str, cost: int) -> AsyncIterator[Page]:
        known = self._at(key)
        since = None if known is None else known - LOOKBACK
        async for page in self._session.pages(path, walk_params(self._kind, since), cost=cost):
            batch = collect(page.rows, page.response.observed_at)
            if batch.reached is not None and (known is None or batch.reached > known):
                known = batch.reached
                self._cursor[key] = instant_text(known)
            yield Page(batch.records, dict(self._cursor), rejected=batch.rejected)

    async def _recents(self) -> AsyncIterator[Page]:
        """Ask for deletions; a hint only, each is confirmed by its id."""
        last = self._at("recent") or self._request.now
        since = max(last - LOOKBACK, self._request.now - RECENTS_REACH)
        params = {
            "since_timestamp": since.strftime("%Y-%m-%d %H:%M:%S"),
            "items": self._kind.recent,
        }
        gone: list[str] = []
        try:
            async for page in self._session.offset_pages("/v1/recents", params, cost=V1_LIST_COST):
                for row in page.rows:
                    recent = partial(row, _Recent)
                    if _says_gone(recent.data):
                        gone.append(str(recent.id))
        except (AccessDenied, BadRecord) as fault:
            if isinstance(fault, AccessDenied) and fault.whole_source:
                raise
            yield Page(note=f"no deletions from /v1/recents ({fault}); comparisons find them")
            return
        for one in dict.fromkeys(gone):
            record = await self._fate(one)
            if record is not None:
                yield Page([record])

    async def _fate(self, record_id: str) -> Record | None:
        """What became of one record; None where the answer cannot be read."""
        try:
            path = f"{self._kind.path}/{record_id}"
            raw, observed_at = await self._session.one(path, cost=V2_ONE_COST)
            return judged(record_id, raw, observed_at)
        except BadRecord:
            return None
        except AccessDenied as fault:
            if fault.whole_source:
                raise
            return Record(record_id, None, self._request.now, "access_lost")

    async def _sweep(self) -> AsyncIterator[Page]:
        """Read everything by id and ask what became of each record that is not there."""
        seen: set[str] = set()
        params = {**walk_params(self._kind, None), "sort_by": "id"}
        for path, cost in self._kind.lists:
            async for page in self._session.pages(path, params, cost=cost):
                batch = collect(page.rows, page.response.observed_at)
                seen |= {record.record_id for record in batch.records}
                yield Page(batch.records, rejected=batch.rejected)
        known = await asyncio.to_thread(self._request.listed_ids)
        async for told in self._missing(sorted(set(known) - seen), seen):
            yield told
        yield Page(complete_ids=sorted(seen))

    async def _missing(self, missing: Sequence[str], seen: set[str]) -> AsyncIterator[Page]:
        """Tell moved, merged and closed records from deleted ones, which are left unseen."""
        for record_id in missing[MOST_ASKED_SINGLY:]:
            seen.add(record_id)
        for record_id in missing[:MOST_ASKED_SINGLY]:
            record = await self._fate(record_id)
            if record is None or record.change != "deleted":
                seen.add(record_id)
            if record is not None and (record.change != "deleted" or record.payload is not None):
                yield Page([record])
        if len(missing) > MOST_ASKED_SINGLY:
            left = len(missing) - MOST_ASKED_SINGLY
            yield Page(note=f"{left} more {self._kind.name} are missing; the next comparison asks")


def _says_gone(data: Any) -> bool:
    """Whether a row of /v1/recents hints at a deletion: v1 has a flag per kind."""
    if not isinstance(data, Mapping):
        return data is None
    return (
        data.get("active_flag") is False
        or data.get("active") is False
        or data.get("is_deleted") is True
        or data.get("deleted") is True
        or data.get("status") == "deleted"
    )
