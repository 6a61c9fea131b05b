"""Reading an entity: all of it once, then what change data capture tells, else by time.

Change data capture reaches back 30 days and tells of deletions; where it tells too much at
once, or the last read is longer ago, the entity is read by time and its ids are compared.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from connectors.base.decode import partial
from connectors.base.errors import BadRecord, ConfigError, VendorError
from connectors.base.stream import Page, ReadRequest
from connectors.base.window import cursor_instant, instant_text
from connectors.quickbooks.entities import BY_STREAM, ENTITIES, SINGLES, Entity
from connectors.quickbooks.records import Links, page_of
from connectors.quickbooks.session import Rows, Session
from connectors.quickbooks.walking import by_ids, by_time, complete, condition, listed_ids

LOOKBACK = timedelta(minutes=10)
SETTLE = timedelta(seconds=60)
"""What changed less than a minute ago may not be visible yet."""
CDC_REACH = timedelta(days=29)
"""The vendor promises 30 days; a day is left for slow runs."""
_BY_NAME = {entity.name: entity for entity in ENTITIES}


class Reader:
    """One read of one entity."""

    def __init__(self, session: Session, entity: Entity, request: ReadRequest) -> None:
        self._session = session
        self._entity = entity
        self._request = request
        cursor = request.cursor if request.cursor is not None and not request.full else {}
        self._mark: dict[str, Any] = dict(cursor)

    async def pages(self) -> AsyncIterator[Page]:
        """Yield what changed since the last read, then what left."""
        if not self._entity.in_cdc:
            async for page in self._whole():
                yield page
            return
        since = cursor_instant(self._mark, "since", self._request.now)
        told = None
        if since is not None and "walk" not in self._mark:
            told = await self._told(self._entity.name, since - LOOKBACK)
        if since is None or told is None:
            async for page in self._walked(since):
                yield page
            return
        yield self._landed(told)
        async for page in self._touched(since - LOOKBACK):
            yield page
        self._mark["since"] = instant_text(told.server_time - SETTLE)
        if self._is_sweep_due():
            async for page in self._compared():
                yield page
        else:
            yield Page(cursor=dict(self._mark))

    async def _told(self, name: str, since: datetime) -> Rows | None:
        """What change data capture tells; None where it reaches not so far, or holds no more."""
        if self._request.now - since >= CDC_REACH:
            return None
        return await self._session.changed(name, since)

    async def _whole(self) -> AsyncIterator[Page]:
        where = condition(self._entity)
        found = await complete(self._session, self._entity, "*", where)
        page = self._landed(found)
        yield page
        if page.rejected:
            # Their ids are unknown, so nothing can be called missing.
            yield Page(cursor={"read_at": instant_text(self._request.now)})
            return
        ids = [record.record_id for record in page.records]
        yield Page(cursor={"read_at": instant_text(self._request.now)}, complete_ids=ids)

    async def _walked(self, since: datetime | None) -> AsyncIterator[Page]:
        """By time; every page's cursor says where to go on."""
        walk = self._mark.get("walk")
        if walk is None:
            clock = await self._server_now()
            begin = None if since is None else since - LOOKBACK
            walk = {
                "from": None if begin is None else instant_text(begin),
                "until": instant_text(clock - SETTLE),
                "touched": None if begin is None else instant_text(begin),
            }
        begin = cursor_instant(walk, "from", self._request.now)
        until = cursor_instant(walk, "until", self._request.now)
        touched = cursor_instant(walk, "touched", self._request.now)
        if until is None:
            raise ConfigError(
                "the stored walk has no end. Sync the stream with --full to start its state anew."
            )
        async for found, after in by_time(self._session, self._entity, begin, until):
            page = self._landed(found)
            if after is not None:
                walk = {**walk, "from": instant_text(after)}
                self._mark["walk"] = walk
                yield Page(page.records, dict(self._mark), rejected=page.rejected)
            else:
                yield page
        if touched is not None:
            async for page in self._touched(touched):
                yield page
        is_first = "since" not in self._mark and not self._request.full
        self._mark.pop("walk", None)
        self._mark["since"] = instant_text(until)
        if is_first and touched is None:
            self._mark["swept_at"] = instant_text(self._request.now)
            yield Page(cursor=dict(self._mark))
        else:
            async for page in self._compared():
                yield page

    async def _server_now(self) -> datetime:
        found = await self._session.query("CompanyInfo", "SELECT * FROM CompanyInfo")
        return found.server_time

    # What another entity moved without this one's own clock.

    async def _touched(self, since: datetime) -> AsyncIterator[Page]:
        """Rows whose balance a changed payment or credit moved."""
        ids: set[str] = set()
        is_unsure = False
        for name in self._entity.touched_by:
            told = await self._told(name, since)
            if told is None:
                until = self._request.now + timedelta(days=1)
                async for found, _ in by_time(self._session, _BY_NAME[name], since, until):
                    ids |= self._linked(found)
                is_unsure = True
                continue
            ids |= self._linked(told)
            page, heads = page_of(told.rows, told.observed_at, free_text=False)
            is_unsure = is_unsure or any(head.is_deleted for head in heads) or bool(page.rejected)
        async for found in by_ids(self._session, self._entity, sorted(ids)):
            yield self._landed(found)
        if is_unsure:
            # A deleted payment no longer says what it had paid: that is open again now.
            async for page in self._reopened():
                yield page

    async def _reopened(self) -> AsyncIterator[Page]:
        """All that is open; all there is where the company cannot be asked for balances."""
        where = condition(self._entity, "Balance > '0'")
        try:
            yield self._landed(await complete(self._session, self._entity, "*", where))
        except VendorError as fault:
            if fault.status != 400:
                raise
            until = self._request.now + timedelta(days=1)
            async for found, _ in by_time(self._session, self._entity, None, until):
                yield self._landed(found)

    def _linked(self, found: Rows) -> set[str]:
        ids: set[str] = set()
        for row in found.rows:
            try:
                ids |= partial(row, Links).to(self._entity.name)
            except BadRecord:
                continue  # set aside by the reader of its own stream
        return ids

    # What left.

    def _is_sweep_due(self) -> bool:
        swept_at = cursor_instant(self._mark, "swept_at", self._request.now)
        hours = timedelta(hours=self._session.settings.sweep_hours)
        return swept_at is None or self._request.now - swept_at >= hours

    async def _compared(self) -> AsyncIterator[Page]:
        """All ids compared with ours: what is missing is asked for by id before it counts.

        A row deleted between two pages shifts the next one out of sight.
        """
        listed = await listed_ids(self._session, self._entity)
        known = set(self._request.live_ids())
        async for found in by_ids(self._session, self._entity, sorted(listed ^ known)):
            page = self._landed(found)
            listed |= {record.record_id for record in page.records}
            yield page
        self._mark["swept_at"] = instant_text(self._request.now)
        yield Page(cursor=dict(self._mark), complete_ids=sorted(listed, key=_by_number))

    def _landed(self, found: Rows) -> Page:
        free_text = self._session.settings.free_text
        page, _ = page_of(found.rows, found.observed_at, free_text=free_text)
        return page


def _by_number(one: str) -> tuple[int, str]:
    return (int(one) if one.isdecimal() else 0, one)


def read_entity(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Read the entity behind the stream."""
    return Reader(session, BY_STREAM[request.stream.name], request).pages()


async def read_single(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """The company's one row of an entity."""
    name = SINGLES[request.stream.name]
    found = await session.query(name, f"SELECT * FROM {name}")  # noqa: S608 - our own names
    page, _ = page_of(found.rows, found.observed_at, free_text=False)
    yield Page(page.records, cursor={"read_at": instant_text(request.now)}, rejected=page.rejected)
