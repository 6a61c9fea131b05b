"""Reading an object: its past by id, then what changed by the clock, and what left.

The clock counts seconds, and hundreds of records may share one: within a window the order is
(clock, id), and the next page begins behind the last pair. What is younger than the settling
time is left to the next run, whose window begins a lookback earlier.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from connectors.base.errors import AccessDenied, CursorExpired, PaginationLoop
from connectors.base.stream import Page, ReadRequest, Record
from connectors.base.window import cursor_instant, instant_text
from connectors.salesforce.leaving import is_due, left
from connectors.salesforce.objects import BY_STREAM, KINDS
from connectors.salesforce.opening import TooSlowError
from connectors.salesforce.past import past
from connectors.salesforce.rows import PAGE, Read, literal
from connectors.salesforce.session import Session

SHORTEST_SPAN = timedelta(seconds=2)
"""Of a window that is halved because its query is too slow."""


async def read_object(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield records of the object behind the stream, then those that left.

    Raises:
        AccessDenied: the object may not be read, is core, or was read before.
        PaginationLoop: the pages do not move on.
    """
    kind = BY_STREAM[request.stream.name]
    shape = await session.describe(kind)
    if shape is None:
        if kind.is_core or request.cursor is not None:
            raise AccessDenied(
                f"there is no object {kind.name} for this user. Grant the right to read it, "
                "or drop the stream from `streams`."
            )
        yield Page(note=f"skipped: there is no {kind.name} here, or its feature is off")
        return
    mark: dict[str, Any] = {} if request.full or request.cursor is None else dict(request.cursor)
    read = Read(session, kind, request, shape, mark)
    if kind.is_small or kind.clock not in shape.fields:
        # Without a clock nothing tells what changed.
        async for page in _whole(read):
            yield page
        return
    async for page in _moved(read):
        yield page
    async for page in left(read):
        yield page


async def _whole(read: Read) -> AsyncIterator[Page]:
    ids: list[str] = []
    are_readable = True
    async for found in read.found(limit=None, with_deleted=False):
        records, rejected = read.landed(found.rows, found.observed_at)
        ids += [one.record_id for one in records]
        are_readable = are_readable and not rejected and not found.torn
        yield Page(records, rejected=rejected)
    if not ids and read.kind.is_core:
        raise AccessDenied(f"{read.kind.name} shows no record at all: the user may not see it")
    # One that cannot be read may be any of those that are not shown.
    yield Page(
        cursor={"read_at": instant_text(read.request.now)},
        complete_ids=ids if are_readable else None,
    )


async def _moved(read: Read) -> AsyncIterator[Page]:
    """What is there, and what changed."""
    mark = read.mark
    is_stale = is_due(read, "formula_at", read.session.settings.formula_hours)
    if read.shape.has_formulas and is_stale and "since" in mark and "past" not in mark:
        mark["past"] = {"until": None, "after": ""}
    if "since" not in mark and "past" not in mark:
        mark["past"] = {"until": None, "after": ""}
    if "past" not in mark:
        async for page in _window(read):
            yield page
        return
    if mark["past"]["until"] is None:
        mark["past"]["until"] = instant_text(await _until(read))
    async for page in past(read):
        yield page
    mark["since"] = mark["past"]["until"]
    del mark["past"]
    mark["formula_at"] = instant_text(read.request.now)
    yield Page(cursor=dict(mark))


async def _until(read: Read) -> datetime:
    settle = timedelta(minutes=read.session.settings.settle_minutes)
    return (await read.session.server_now(read.request.now)) - settle


async def _window(read: Read) -> AsyncIterator[Page]:
    """What the clock says changed since the last window, ties complete."""
    mark, now = read.mark, read.request.now
    if "walk" not in mark:
        since = cursor_instant(mark, "since", now) or now
        lookback = timedelta(minutes=read.session.settings.lookback_minutes)
        until = max(await _until(read), since)
        mark["walk"] = {"from": instant_text(since - lookback), "until": instant_text(until)}
    until = end = cursor_instant(mark["walk"], "until", now) or now
    while True:
        try:
            async for page in _span(read, end):
                yield page
        except TooSlowError:
            # Half of what is left, as often as it takes; then the rest.
            start = _start(read)
            if end - start < SHORTEST_SPAN:
                raise
            end = (start + (end - start) / 2).replace(microsecond=0)
            continue
        if end >= until:
            break
        mark["walk"] = {"from": instant_text(end), "until": mark["walk"]["until"]}
        end = until
    mark["since"] = mark["walk"]["until"]
    del mark["walk"]
    yield Page(cursor=dict(mark))


def _start(read: Read) -> datetime:
    """Where the walk is."""
    walk = read.mark["walk"]
    at = walk["at"].replace(".000Z", "+00:00") if "at" in walk else None
    if at is not None:
        return datetime.fromisoformat(at)
    return cursor_instant(walk, "from", read.request.now) or read.request.now


async def _span(read: Read, end: datetime) -> AsyncIterator[Page]:
    """The part of a window before ``end``, from where the walk is."""
    walk, clock = read.mark["walk"], read.kind.clock
    while True:
        condition = f"{clock} >= {literal(_start(read))}"
        if "at" in walk:
            at, last = walk["at"], walk["id"]
            condition = f"(({clock} = {at} AND Id > '{last}') OR {clock} > {at})"
        condition += f" AND {clock} < {literal(end)}"
        shown = 0
        before = (walk.get("at", ""), walk.get("id", ""))
        try:
            async for found in read.found(condition, f"{clock}, Id"):
                records, rejected = read.landed(found.rows, found.observed_at)
                shown += found.count
                place = read.last(found.rows)
                if place is not None:
                    walk |= {"at": literal(place[0]), "id": place[1]}
                yield Page(records, dict(read.mark), rejected=rejected)
        except CursorExpired:
            # The clock and the id say where to go on; a locator is only a shorter way.
            if (walk.get("at", ""), walk.get("id", "")) == before:
                raise
            continue
        if shown < PAGE:
            return
        if (walk.get("at", ""), walk.get("id", "")) <= before:
            raise PaginationLoop(f"the pages of {read.kind.name} do not move past {before}")


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
