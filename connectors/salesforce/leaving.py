"""What was purged: as the org tells it, now and then by comparing all ids."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import PaginationLoop, VendorError
from connectors.base.stream import Page, Record
from connectors.base.window import cursor_instant, instant_text
from connectors.salesforce.rows import PAGE, Head, Read, instant, literal

DELETED_REACH = timedelta(days=14)
"""Told deletions reach 15 days back; beyond that all ids are compared."""
DELETED_OVERLAP = timedelta(hours=2)


class _Gone(msgspec.Struct):
    id: str
    deletedDate: str | None = None  # noqa: N815 - the vendor's spelling


class _Deleted(msgspec.Struct):
    deletedRecords: list[_Gone]  # noqa: N815 - the vendor's spelling
    earliestDateAvailable: str | None = None  # noqa: N815 - the vendor's spelling
    latestDateCovered: str | None = None  # noqa: N815 - the vendor's spelling


def is_due(read: Read, name: str, hours: int) -> bool:
    """Whether the moment that the cursor keeps under a name lies so many hours back."""
    at = cursor_instant(read.mark, name, read.request.now)
    return bool(hours) and at is not None and read.request.now - at >= timedelta(hours=hours)


async def left(read: Read) -> AsyncIterator[Page]:
    """What is in no query any more, and the cursor at the end of the read."""
    mark, now = read.mark, read.request.now
    told_at = cursor_instant(mark, "deleted_at", now)
    if told_at is None and not read.request.full:
        # Everything has just been read; nothing of it can be missing.
        mark |= {"deleted_at": mark["since"], "swept_at": instant_text(now)}
        yield Page(cursor=dict(mark))
        return
    is_late = told_at is None or now - told_at > DELETED_REACH
    hours = read.session.settings.sweep_hours
    if read.request.full or is_late or is_due(read, "swept_at", hours):
        async for page in _compared(read):
            yield page
    elif read.shape.is_replicateable and told_at is not None:
        yield Page(await _told(read, told_at))
    mark["deleted_at"] = mark["since"]
    yield Page(cursor=dict(mark))


async def _told(read: Read, told_at: datetime) -> list[Record]:
    """What the org says is gone and its bin does not show: that would say more of it."""
    until = cursor_instant(read.mark, "since", read.request.now) or read.request.now
    params = {"start": literal(told_at - DELETED_OVERLAP), "end": literal(until)}
    try:
        response = await read.session.get(f"sobjects/{read.kind.name}/deleted/", params)
    except VendorError as fault:
        if fault.status not in {400, 404}:
            raise
        return []  # an object that does not tell, or too many: the comparison finds them
    known = set(read.request.listed_ids()) - read.shown_gone
    return [
        Record(gone.id, None, response.observed_at, "deleted", instant(gone.deletedDate))
        for gone in msgspec.json.decode(response.body, type=_Deleted).deletedRecords
        if gone.id in known
    ]


async def _compared(read: Read) -> AsyncIterator[Page]:
    shown: list[str] = []
    after = ""
    while True:
        condition = f"Id > '{after}'" if after else ""
        soql = read.select(condition, "Id", PAGE, ["Id"])
        ids = [
            partial(bytes(row), Head).Id
            async for found in read.session.query(soql)
            for row in found.rows
        ]
        if ids and min(ids) <= after:
            raise PaginationLoop(f"the ids of {read.kind.name} do not move past {after}")
        shown += ids
        after = max([after, *ids])
        if len(ids) < PAGE:
            break
    read.mark["swept_at"] = instant_text(read.request.now)
    yield Page(cursor=dict(read.mark), complete_ids=shown)
