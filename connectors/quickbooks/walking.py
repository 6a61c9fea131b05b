"""Pages of a query that lose nothing while rows move.

The grammar has no OR, and a second order key is not promised, so no keyset over (time, id)
can be asked for. The walk goes by time alone: each page begins at the second in which the
last one ended, inclusive, so that a row edited under way, which moves to the end, shifts
nothing. Only where one second fills a whole page is it read by position; then the rows seen
must be as many as the vendor counts, before and after.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import BadRecord, PaginationLoop, ProtocolError
from connectors.quickbooks.entities import Entity
from connectors.quickbooks.records import Head
from connectors.quickbooks.session import Rows, Session, moment

CLOCK = "MetaData.LastUpdatedTime"
SECOND = timedelta(seconds=1)
PASSES = 5
ASKED_AT_ONCE = 100
"""Ids in one IN, so that an address stays short."""


def condition(entity: Entity, *parts: str) -> str:
    """The WHERE of a statement; name lists hide inactive rows unless asked."""
    active = ("Active IN (true,false)",) if entity.has_active else ()
    every = [part for part in (*active, *parts) if part]
    return f" WHERE {' AND '.join(every)}" if every else ""


async def by_time(
    session: Session, entity: Entity, since: datetime | None, until: datetime
) -> AsyncIterator[tuple[Rows, datetime | None]]:
    """Yield rows last updated in ``[since, until)``, oldest first, and where to go on.

    A row may come twice. None as the place to go on means that this was the last page.

    Raises:
        PaginationLoop: the pages are out of order or do not move on.
    """
    size = session.settings.page_size
    while True:
        after = "" if since is None else f"{CLOCK} >= '{moment(since)}'"
        where = condition(entity, after, f"{CLOCK} < '{moment(until)}'")
        statement = (
            f"SELECT * FROM {entity.name}{where} ORDERBY {CLOCK} ASC "  # noqa: S608 - our own
            f"STARTPOSITION 1 MAXRESULTS {size}"
        )
        found = await session.query(entity.name, statement)
        if len(found.rows) < size:
            yield found, None
            return
        last = _last_second(found.rows, since)
        if last is None:
            raise PaginationLoop(f"no row of a page of {entity.name} tells when it changed")
        if since is not None and last < since:
            raise PaginationLoop(f"{entity.name} comes out of order: {moment(last)} ends a page")
        if last != since:
            since = last
            yield found, since
            continue
        # A whole page of one second.
        within = condition(
            entity, f"{CLOCK} >= '{moment(last)}'", f"{CLOCK} < '{moment(last + SECOND)}'"
        )
        tied = await complete(session, entity, "*", within)
        since = last + SECOND
        yield tied, since


def _last_second(rows: Sequence[msgspec.Raw], since: datetime | None) -> datetime | None:
    """The latest change in a page, to the second."""
    latest = since
    for row in rows:
        try:
            changed = partial(row, Head).updated_at
        except BadRecord:
            continue
        if changed is not None and (latest is None or changed > latest):
            latest = changed
    return None if latest is None else latest.replace(microsecond=0)


async def complete(session: Session, entity: Entity, fields: str, where: str) -> Rows:
    """All rows of a condition by position, as many as the vendor counts before and after.

    Raises:
        ProtocolError: rows kept moving, and the count never fitted.
    """
    for _ in range(PASSES):
        before = await session.count(entity.name, where)
        rows, ids, last = await _positions(session, entity, fields, where)
        if len(ids) == before == await session.count(entity.name, where):
            return Rows(rows, last.observed_at, last.server_time)
    raise ProtocolError(
        f"{entity.name}{where}: the pages never held as many rows as the count, in {PASSES} "
        "passes. Somebody is changing them in bulk; the next run reads them again."
    )


async def _positions(
    session: Session, entity: Entity, fields: str, where: str
) -> tuple[list[msgspec.Raw], set[str], Rows]:
    size = session.settings.page_size
    rows: list[msgspec.Raw] = []
    ids: set[str] = set()
    start = 1
    while True:
        statement = (
            f"SELECT {fields} FROM {entity.name}{where} "  # noqa: S608 - our own
            f"STARTPOSITION {start} MAXRESULTS {size}"
        )
        found = await session.query(entity.name, statement)
        fresh = {_id(row) for row in found.rows} - ids
        if found.rows and not fresh:
            raise PaginationLoop(f"{entity.name}: the page from position {start} came before")
        ids |= fresh
        rows += found.rows
        if len(found.rows) < size:
            return rows, ids, found
        start += len(found.rows)


def _id(row: msgspec.Raw) -> str:
    try:
        return partial(row, Head).Id
    except BadRecord as fault:
        raise ProtocolError(f"a row without a readable Id: {fault.reason}") from None


async def listed_ids(session: Session, entity: Entity) -> set[str]:
    """Every id that the company holds now."""
    found = await complete(session, entity, "Id", condition(entity))
    return {_id(row) for row in found.rows}


async def by_ids(session: Session, entity: Entity, ids: Sequence[str]) -> AsyncIterator[Rows]:
    """Rows by id; what is gone is left out."""
    known = sorted({one for one in ids if one.isdecimal()}, key=int)
    for start in range(0, len(known), ASKED_AT_ONCE):
        part = known[start : start + ASKED_AT_ONCE]
        named = ",".join(f"'{one}'" for one in part)
        where = condition(entity, f"Id IN ({named})")
        statement = (
            f"SELECT * FROM {entity.name}{where} "  # noqa: S608 - our own
            f"STARTPOSITION 1 MAXRESULTS {ASKED_AT_ONCE}"
        )
        yield await session.query(entity.name, statement)
