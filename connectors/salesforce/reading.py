"""Reading an object: its past by id, then what changed by the clock, and what left.

The clock counts seconds, and hundreds of records may share one: within a window the order is
(clock, id), and the next page begins behind the last pair. What is younger than the settling
time is left to the next run, whose window begins a lookback earlier.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import (
    AccessDenied,
    BadRecord,
    CursorExpired,
    PaginationLoop,
    VendorError,
)
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.base.window import cursor_instant, instant_text
from connectors.salesforce import bulk
from connectors.salesforce.objects import BY_STREAM, KINDS, Described, Kind
from connectors.salesforce.session import Session

PAGE = 2_000
DELETED_REACH = timedelta(days=14)
"""Told deletions reach 15 days back; beyond that all ids are compared."""
DELETED_OVERLAP = timedelta(hours=2)


class _Head(msgspec.Struct):
    Id: str
    SystemModstamp: str | None = None
    CreatedDate: str | None = None
    IsDeleted: bool | None = None
    MasterRecordId: str | None = None


class _Gone(msgspec.Struct):
    id: str
    deletedDate: str | None = None  # noqa: N815 - the vendor's spelling


class _Deleted(msgspec.Struct):
    deletedRecords: list[_Gone]  # noqa: N815 - the vendor's spelling
    earliestDateAvailable: str | None = None  # noqa: N815 - the vendor's spelling
    latestDateCovered: str | None = None  # noqa: N815 - the vendor's spelling


def literal(moment: datetime) -> str:
    """A moment as SOQL writes it: no quotes."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def instant(text: str | None) -> datetime | None:
    """A moment of the vendor's: an offset without a colon, or Z; None where there is none."""
    if not text:
        return None
    return datetime.fromisoformat(text.replace("+0000", "+00:00"))


class Reader:
    """One read of one object."""

    def __init__(self, session: Session, kind: Kind, request: ReadRequest) -> None:
        self._session = session
        self._kind = kind
        self._request = request
        self._mark: dict[str, Any] = (
            {} if request.full or request.cursor is None else dict(request.cursor)
        )
        self._shape = Described({}, has_formulas=False, is_replicateable=False)
        self._shown_gone: set[str] = set()

    async def pages(self) -> AsyncIterator[Page]:
        """Yield records, then those that left.

        Raises:
            AccessDenied: the object may not be read, is core, or was read before.
            PaginationLoop: the pages do not move on.
        """
        kind, session = self._kind, self._session
        shape = await session.describe(kind)
        if shape is None:
            if kind.is_core or self._request.cursor is not None:
                raise AccessDenied(
                    f"there is no object {kind.name} for this user. Grant the right to read it, "
                    "or drop the stream from `streams`."
                )
            yield Page(note=f"skipped: there is no {kind.name} here, or its feature is off")
            return
        self._shape = shape
        if kind.is_small:
            async for page in self._whole():
                yield page
            return
        async for page in self._moved():
            yield page
        async for page in self._left():
            yield page

    def _select(self, condition: str = "", order: str = "", limit: int | None = PAGE) -> str:
        text = f"SELECT {','.join(self._shape.names)} FROM {self._kind.name}"  # noqa: S608 - SOQL, names of the describe
        text += f" WHERE {condition}" if condition else ""
        text += f" ORDER BY {order}" if order else ""
        return text + (f" LIMIT {limit}" if limit else "")

    async def _whole(self) -> AsyncIterator[Page]:
        ids: list[str] = []
        are_readable = True
        soql = self._select(limit=None)
        async for found in self._session.query(soql, with_deleted=False):
            records, rejected = self._landed(found.rows, found.observed_at)
            ids += [one.record_id for one in records]
            are_readable = are_readable and not rejected
            yield Page(records, rejected=rejected)
        if not ids and self._kind.is_core:
            raise AccessDenied(f"{self._kind.name} shows no record at all: the user may not see it")
        # One that cannot be read may be any of those that are not shown.
        yield Page(
            cursor={"read_at": instant_text(self._request.now)},
            complete_ids=ids if are_readable else None,
        )

    # What is there, and what changed.

    async def _moved(self) -> AsyncIterator[Page]:
        mark, now = self._mark, self._request.now
        is_due = self._is_due("formula_at", self._session.settings.formula_hours)
        if self._shape.has_formulas and is_due and "since" in mark and "past" not in mark:
            mark["past"] = {"until": None, "after": ""}
        if "since" not in mark and "past" not in mark:
            mark["past"] = {"until": None, "after": ""}
        if "past" in mark:
            if mark["past"]["until"] is None:
                mark["past"]["until"] = instant_text(await self._until())
            async for page in self._past():
                yield page
            mark["since"] = mark["past"]["until"]
            del mark["past"]
            mark["formula_at"] = instant_text(now)
            yield Page(cursor=dict(mark))
            return
        async for page in self._window():
            yield page

    async def _until(self) -> datetime:
        settle = timedelta(minutes=self._session.settings.settle_minutes)
        return (await self._session.server_now(self._request.now)) - settle

    async def _past(self) -> AsyncIterator[Page]:
        """All records up to a moment: by a job where they are many, else by id."""
        past = self._mark["past"]
        is_wide = not self._session.fits_address(self._select())
        if "job" not in past and not past["after"]:
            count = await self._session.count(self._kind)
            if is_wide or count >= self._session.settings.bulk_rows:
                past |= {"job": None, "locator": None, "shown": 0}
        if "job" in past:
            async for page in self._by_job():
                yield page
            return
        bound = literal(cursor_instant(past, "until", self._request.now) or self._request.now)
        while True:
            after = past["after"]
            condition = f"{self._kind.clock} < {bound}" + (f" AND Id > '{after}'" if after else "")
            shown = 0
            try:
                async for found in self._session.query(self._select(condition, "Id")):
                    records, rejected = self._landed(found.rows, found.observed_at)
                    shown += len(found.rows)
                    if records and records[0].record_id <= past["after"]:
                        raise PaginationLoop(
                            f"the ids of {self._kind.name} do not move past {after}"
                        )
                    past["after"] = max([past["after"], *(one.record_id for one in records)])
                    yield Page(records, dict(self._mark), rejected=rejected)
            except CursorExpired:
                # The ids say where to go on; a locator is only a shorter way.
                if past["after"] == after:
                    raise
                continue
            if shown < PAGE:
                return

    async def _by_job(self) -> AsyncIterator[Page]:
        """A job's results; each page is a resume point, for as long as the org keeps them."""
        past = self._mark["past"]
        bound = literal(cursor_instant(past, "until", self._request.now) or self._request.now)
        if past["job"] is None:
            soql = self._select(f"{self._kind.clock} < {bound}", limit=None)
            past["job"] = await bulk.start(self._session, soql)
            yield Page(cursor=dict(self._mark))
        try:
            told = await bulk.finish(self._session, past["job"])
            past["shown"] = past["shown"] if past["locator"] else 0
            async for table in bulk.tables(
                self._session, past["job"], self._shape.fields, past["locator"]
            ):
                rows = [msgspec.Raw(row) for row in table.rows]
                records, rejected = self._landed(rows, table.observed_at)
                shown = past["shown"] + len(rows)
                if table.locator is None:
                    bulk.whole(past["job"], told, shown)
                past |= {"locator": table.locator, "shown": shown}
                yield Page(records, dict(self._mark), rejected=rejected)
        except VendorError as fault:
            if fault.status != 404:
                raise
            # The org keeps results for seven days: begin anew.
            past |= {"job": None, "locator": None, "shown": 0}
            raise CursorExpired(
                "the query job is gone; the next run starts another one", status=404
            ) from fault

    async def _window(self) -> AsyncIterator[Page]:
        """What the clock says changed since the last window, ties complete."""
        mark, clock = self._mark, self._kind.clock
        if "walk" not in mark:
            since = cursor_instant(mark, "since", self._request.now) or self._request.now
            lookback = timedelta(minutes=self._session.settings.lookback_minutes)
            until = max(await self._until(), since)
            mark["walk"] = {"from": instant_text(since - lookback), "until": instant_text(until)}
        walk = mark["walk"]
        start = cursor_instant(walk, "from", self._request.now) or self._request.now
        until = cursor_instant(walk, "until", self._request.now) or self._request.now
        while True:
            condition = f"{clock} >= {literal(start)}"
            if "at" in walk:
                at, last = walk["at"], walk["id"]
                condition = f"(({clock} = {at} AND Id > '{last}') OR {clock} > {at})"
            condition += f" AND {clock} < {literal(until)}"
            soql = self._select(condition, f"{clock}, Id")
            if not self._session.fits_address(soql):
                async for page in self._wide_window(condition):
                    yield page
                break
            shown = 0
            before = (walk.get("at", ""), walk.get("id", ""))
            try:
                async for found in self._session.query(soql):
                    records, rejected = self._landed(found.rows, found.observed_at)
                    shown += len(found.rows)
                    last = self._last(found.rows)
                    if last is not None:
                        walk |= {"at": literal(last[0]), "id": last[1]}
                    yield Page(records, dict(mark), rejected=rejected)
            except CursorExpired:
                # The clock and the id say where to go on; a locator is only a shorter way.
                if (walk.get("at", ""), walk.get("id", "")) == before:
                    raise
                continue
            if shown < PAGE:
                break
            if (walk.get("at", ""), walk.get("id", "")) <= before:
                raise PaginationLoop(f"the pages of {self._kind.name} do not move past {before}")
        mark["since"] = walk["until"]
        del mark["walk"]
        yield Page(cursor=dict(mark))

    async def _wide_window(self, condition: str) -> AsyncIterator[Page]:
        """A window of an object with more fields than an address holds: by a job."""
        job = await bulk.start(self._session, self._select(condition, limit=None))
        told, shown = await bulk.finish(self._session, job), 0
        async for table in bulk.tables(self._session, job, self._shape.fields, None):
            rows = [msgspec.Raw(row) for row in table.rows]
            records, rejected = self._landed(rows, table.observed_at)
            shown += len(rows)
            if table.locator is None:
                bulk.whole(job, told, shown)
            # No order, so no resume point before the end.
            yield Page(records, rejected=rejected)

    def _last(self, rows: Sequence[msgspec.Raw]) -> tuple[datetime, str] | None:
        """Clock and id of the last row that can be read."""
        is_history = self._kind.clock == "CreatedDate"
        for row in reversed(rows):
            with suppress(BadRecord, ValueError):
                head = partial(bytes(row), _Head)
                moment = instant(head.CreatedDate if is_history else head.SystemModstamp)
                if moment is not None:
                    return moment, head.Id
        return None

    def _landed(
        self, rows: Sequence[msgspec.Raw], observed_at: datetime
    ) -> tuple[list[Record], list[Rejected]]:
        records: list[Record] = []
        rejected: list[Rejected] = []
        for row in rows:
            raw = bytes(row)
            try:
                head = partial(raw, _Head)
                moved_at = instant(head.SystemModstamp or head.CreatedDate)
            except (BadRecord, ValueError) as fault:
                rejected.append(Rejected(None, str(fault), raw))
                continue
            if head.IsDeleted:
                self._shown_gone.add(head.Id)
            if head.IsDeleted and head.MasterRecordId:
                told = msgspec.json.encode({"survivor_id": head.MasterRecordId})
                records.append(Record(head.Id, told, observed_at, "merged", moved_at))
            elif head.IsDeleted:
                records.append(Record(head.Id, raw, observed_at, "deleted", moved_at))
            else:
                records.append(Record(head.Id, raw, observed_at, "upsert", moved_at))
        return records, rejected

    # What left.

    async def _left(self) -> AsyncIterator[Page]:
        """What was purged: as the org tells it, now and then by comparing all ids."""
        mark, now = self._mark, self._request.now
        told_at = cursor_instant(mark, "deleted_at", now)
        if told_at is None and not self._request.full:
            # Everything has just been read; nothing of it can be missing.
            mark |= {"deleted_at": mark["since"], "swept_at": instant_text(now)}
            yield Page(cursor=dict(mark))
            return
        is_late = told_at is None or now - told_at > DELETED_REACH
        hours = self._session.settings.sweep_hours
        if self._request.full or is_late or self._is_due("swept_at", hours):
            async for page in self._compared():
                yield page
        elif self._shape.is_replicateable and told_at is not None:
            yield Page(await self._told(told_at))
        mark["deleted_at"] = mark["since"]
        yield Page(cursor=dict(mark))

    async def _told(self, told_at: datetime) -> list[Record]:
        """What the org says is gone and its bin does not show: that would say more of it."""
        until = cursor_instant(self._mark, "since", self._request.now) or self._request.now
        params = {"start": literal(told_at - DELETED_OVERLAP), "end": literal(until)}
        try:
            response = await self._session.get(f"sobjects/{self._kind.name}/deleted/", params)
        except VendorError as fault:
            if fault.status not in {400, 404}:
                raise
            return []  # an object that does not tell, or too many: the comparison finds them
        known = set(self._request.listed_ids()) - self._shown_gone
        return [
            Record(gone.id, None, response.observed_at, "deleted", instant(gone.deletedDate))
            for gone in msgspec.json.decode(response.body, type=_Deleted).deletedRecords
            if gone.id in known
        ]

    async def _compared(self) -> AsyncIterator[Page]:
        shown: list[str] = []
        after = ""
        while True:
            condition = f" WHERE Id > '{after}'" if after else ""
            soql = f"SELECT Id FROM {self._kind.name}{condition} ORDER BY Id LIMIT {PAGE}"  # noqa: S608 - SOQL
            ids = [
                partial(bytes(row), _Head).Id
                async for found in self._session.query(soql)
                for row in found.rows
            ]
            if ids and min(ids) <= after:
                raise PaginationLoop(f"the ids of {self._kind.name} do not move past {after}")
            shown += ids
            after = max([after, *ids])
            if len(ids) < PAGE:
                break
        self._mark["swept_at"] = instant_text(self._request.now)
        yield Page(cursor=dict(self._mark), complete_ids=shown)

    def _is_due(self, name: str, hours: int) -> bool:
        at = cursor_instant(self._mark, name, self._request.now)
        return bool(hours) and at is not None and self._request.now - at >= timedelta(hours=hours)


def read_object(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Read the object behind the stream."""
    return Reader(session, BY_STREAM[request.stream.name], request).pages()


async def read_fields(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """What the org says of each object that is read: labels, types, picklists."""
    names: list[str] = []
    for kind in KINDS:
        if not session.settings.is_active(kind.stream):
            continue
        if await session.describe(kind) is not None:
            text = session.description(kind)
            names.append(kind.name)
            yield Page([Record(kind.name, text, request.now)])
    yield Page(cursor={"read_at": instant_text(request.now)}, complete_ids=names)
