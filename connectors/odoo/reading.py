"""Reading a model: what changed since a moment, by id, without offsets.

The server cuts write_date to seconds in what it shows and keeps microseconds in what it
compares, and stamps one transaction's rows, thousands of them, with one moment: no keyset
over (write_date, id) can be right. So the lower bound of a read is fixed, and within it
the id alone moves. What is edited behind us meanwhile bears a later write_date than the
start of this read, and the next one begins there, less the lookback.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import AccessDenied, BadRecord, PaginationLoop
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.base.window import cursor_instant, instant_text
from connectors.odoo.models import (
    BY_STREAM,
    MODELS,
    Domain,
    Model,
    changed_since,
    domain_of,
    fields_of,
)
from connectors.odoo.session import Rows, Session, fields_from

FORM = "%Y-%m-%d %H:%M:%S"
SWEEP_PAGE = 10_000
DEEP_LOOKBACK = timedelta(hours=24)
"""Once per sweep: scheduled jobs and imports may commit hours after their start."""
APPENDED_OVERLAP = 5_000
"""Ids are given before the commit, so that a lower one may appear after a higher one."""
ASKED_AT_ONCE = 200
"""Missing records whose fate is asked for in one call."""
CLOSED_COUNT, CLOSED_SHARE = 20, 0.2
"""More that are closed at once are a right that went, as the delete guard sees deletes."""


class _Head(msgspec.Struct):
    id: int
    write_date: str | bool | None = None


class Reader:
    """One read of one model: what changed, and then what left."""

    def __init__(self, session: Session, model: Model, request: ReadRequest) -> None:
        self._session = session
        self._model = model
        self._request = request
        cursor = request.cursor if request.cursor is not None and not request.full else {}
        self._mark: dict[str, Any] = dict(cursor)
        self._fields: list[str] = []
        self._domain: Domain = []
        self._skipped_to: int | None = None

    async def pages(self) -> AsyncIterator[Page]:
        """Yield changed records, then those that were deleted or closed to us.

        Raises:
            AccessDenied: the model may not be read, is core, or was read before.
            PaginationLoop: the pages do not move on.
        """
        session, model, request = self._session, self._model, self._request
        text = await session.describe(model.name)
        if text is None:
            if model.is_core or request.cursor is not None:
                raise AccessDenied(
                    f"there is no model {model.name} here. Install its app, or drop the "
                    "stream from `streams`."
                )
            yield Page(note=f"skipped: the app with the model {model.name} is not installed")
            return
        described = fields_from(text)
        self._fields = fields_of(model, described)
        self._domain = domain_of(model, described)
        if model.is_small:
            async for page in self._whole():
                yield page
            return
        async for page in self._changed(described):
            yield page

    async def _whole(self) -> AsyncIterator[Page]:
        ids: list[str] = []
        async for page, _ in self._walk(self._domain, 0):
            ids += [one.record_id for one in page.records]
            yield page
        if not ids and self._model.is_core:
            raise AccessDenied(
                f"{self._model.name} shows no record at all: this user may not see it"
            )
        yield Page(cursor={"read_at": instant_text(self._request.now)}, complete_ids=ids)

    # What changed.

    async def _changed(self, described: Mapping[str, Mapping[str, Any]]) -> AsyncIterator[Page]:
        request, mark = self._request, self._mark
        is_first = not mark or (mark.get("is_first") is True and "walk" in mark)
        is_due = self._is_due()
        if "walk" in mark:
            walk = dict(mark["walk"])
        else:
            started = await self._session.server_now(request.now)
            walk = {"from": self._since(deep=is_due), "start": instant_text(started), "after": 0}
            if self._model.appended and not is_first:
                walk["from"] = None
                walk["after"] = max(0, int(mark.get("last_id") or 0) - APPENDED_OVERLAP)
            mark["is_first"] = is_first
        domain = list(self._domain)
        if walk["from"] is not None and "write_date" in described:
            domain += changed_since(self._model, described, walk["from"])
        top = int(mark.get("last_id") or 0)
        async for page, last in self._walk(domain, int(walk["after"])):
            walk["after"] = last
            top = max(top, last)
            mark["walk"] = dict(walk)
            mark["last_id"] = top
            yield Page(page.records, dict(mark), rejected=page.rejected)
        # Only now: the walk by id is no order of change.
        mark.pop("walk", None)
        mark.pop("is_first", None)
        mark["last_id"] = top
        mark["since"] = walk["start"]
        if is_first and not request.full:
            mark["swept_at"] = instant_text(request.now)
        elif is_due:
            async for page in self._compared():
                yield page
            return
        yield Page(cursor=dict(mark))

    def _since(self, *, deep: bool) -> str | None:
        since = cursor_instant(self._mark, "since", self._request.now)
        if since is None:
            return None
        lookback = timedelta(minutes=self._session.settings.lookback_minutes)
        if deep:
            lookback = max(lookback, DEEP_LOOKBACK)
        return (since - lookback).astimezone(UTC).strftime(FORM)

    def _is_due(self) -> bool:
        hours = self._session.settings.sweep_hours
        if self._request.full:
            return True
        if not hours:
            return False
        swept_at = cursor_instant(self._mark, "swept_at", self._request.now)
        return swept_at is not None and self._request.now - swept_at >= timedelta(hours=hours)

    async def _walk(self, domain: Domain, after: int) -> AsyncIterator[tuple[Page, int]]:
        """All records of a condition by id, and the id up to which each page reaches.

        Some models drop what we may not see after the limit has counted, so a short page
        is no end; an empty one is, unless the whole of it was dropped.
        """
        size = self._session.settings.page_size
        self._skipped_to = None
        while True:
            condition = [*domain, ["id", ">", after]]
            name = self._model.name
            found = await self._session.search_read(name, condition, self._fields, size)
            if not found.rows:
                further = await self._further(condition)
                if further is None:
                    return
                after = further
                continue
            page, ids = _landed(found)
            if not ids or min(ids) <= after:
                raise PaginationLoop(f"the ids of {name} do not move past {after}")
            after = max(ids)
            yield page, after

    async def _further(self, condition: Domain) -> int | None:
        """The id before the next record behind an empty page; None where there is none."""
        if not self._model.is_thinned:
            return None
        # Without a limit nothing is cut before what we may not see is dropped.
        ids = await self._session.search(self._model.name, condition, None)
        if not ids:
            return None
        after: int = condition[-1][2]
        if min(ids) <= after or self._skipped_to == min(ids):
            raise PaginationLoop(f"the ids of {self._model.name} do not move past {after}")
        self._skipped_to = min(ids)
        return min(ids) - 1

    # What left.

    async def _compared(self) -> AsyncIterator[Page]:
        """All ids compared with ours: deleted, closed to us, or never met."""
        listed = await self._listed()
        expected = {int(one) for one in self._request.listed_ids() if one.isdecimal()}
        missing = sorted(expected - listed)
        present = set(listed)
        hidden: list[int] = []
        for start in range(0, len(missing), ASKED_AT_ONCE):
            part = missing[start : start + ASKED_AT_ONCE]
            there, closed = await self._session.fates(self._model.name, part)
            if there:
                # Shown again, or outside of what this stream means since an edit.
                domain = [*self._domain, ["id", "in", sorted(there)]]
                present |= set(await self._session.search(self._model.name, domain, len(there)))
            hidden += sorted(closed)
        if len(hidden) > max(CLOSED_COUNT, CLOSED_SHARE * len(expected)):
            # A right that was taken from us: left missing, so that the delete guard stops it.
            yield Page(note=f"{len(hidden)} of {len(expected)} records are closed to this user now")
        else:
            at = self._request.now
            yield Page([Record(str(one), None, at, "access_lost") for one in hidden])
            present |= set(hidden)
        known = {int(one) for one in self._request.live_ids() if one.isdecimal()}
        # Told as closed in an earlier sweep: not in any list, and not deleted.
        present |= known - expected
        unknown = sorted(listed - expected)
        for start in range(0, len(unknown), self._session.settings.page_size):
            part = unknown[start : start + self._session.settings.page_size]
            found = await self._session.search_read(
                self._model.name, [["id", "in", part]], self._fields, len(part)
            )
            page, _ = _landed(found)
            yield page
        self._mark["swept_at"] = instant_text(self._request.now)
        yield Page(cursor=dict(self._mark), complete_ids=[str(one) for one in sorted(present)])

    async def _listed(self) -> set[int]:
        listed: set[int] = set()
        after = 0
        self._skipped_to = None
        while True:
            domain = [*self._domain, ["id", ">", after]]
            ids = await self._session.search(self._model.name, domain, SWEEP_PAGE)
            if not ids:
                further = await self._further(domain)
                if further is None:
                    return listed
                after = further
                continue
            if min(ids) <= after:
                raise PaginationLoop(f"the ids of {self._model.name} do not move past {after}")
            after = max(ids)
            listed.update(ids)


def _landed(found: Rows) -> tuple[Page, Sequence[int]]:
    records: list[Record] = []
    rejected: list[Rejected] = []
    ids: list[int] = []
    for one in found.rows:
        raw = bytes(one)
        try:
            head = partial(raw, _Head)
        except BadRecord as fault:
            rejected.append(Rejected(None, fault.reason, raw))
            continue
        ids.append(head.id)
        changed_at = instant(head.write_date)
        records.append(Record(str(head.id), raw, found.observed_at, "upsert", changed_at))
    return Page(records, rejected=rejected), ids


def instant(text: str | bool | None) -> datetime | None:
    """Odoo's text of a moment, which is UTC without saying so; ``false`` is none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_model(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Read the model behind the stream."""
    return Reader(session, BY_STREAM[request.stream.name], request).pages()


async def read_fields(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """The description of each model that is read: labels, types, selections."""
    names: list[str] = []
    for model in MODELS:
        if not session.settings.is_active(model.stream):
            continue
        text = await session.describe(model.name)
        if text is not None:
            names.append(model.name)
            yield Page([Record(model.name, text, request.now)])
    yield Page(cursor={"read_at": instant_text(request.now)}, complete_ids=names)
