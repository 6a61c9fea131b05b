"""First a whole list, then the event log; whatever changed is fetched by its id.

An event's own copy of the object is rendered in the version of its day, so it serves as a
signal only. The log runs newest first and reaches back 30 days: a pass must be read to its
end before the cursor moves, and a gap of more than 29 days calls for the list again.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connectors.base.decode import decode
from connectors.base.errors import CursorExpired
from connectors.base.stream import Page, ReadRequest, Record
from connectors.base.window import cursor_instant
from connectors.stripe.backfill import read_whole
from connectors.stripe.kinds import BY_NAME, Kind
from connectors.stripe.payload import landed
from connectors.stripe.records import from_epoch, page_of, text_of
from connectors.stripe.session import Head, Session, server_time

OVERLAP = timedelta(minutes=10)
SETTLE = timedelta(seconds=60)
REACH = timedelta(days=29)
SAFETY = timedelta(days=7)
SWEEP = timedelta(days=28)
"""Shorter than ``REACH``: a gap that lost events is followed by a sweep for deletes."""
TYPES_AT_ONCE = 20
FETCHED_AT_ONCE = 50


class _Subject(msgspec.Struct):
    id: str | None = None
    object: str = ""


class _Pointing(msgspec.Struct):
    """What a discount was on."""

    customer: str | None = None
    subscription: str | None = None


class _Data(msgspec.Struct):
    object: msgspec.Raw


class Event(msgspec.Struct):
    """An entry of the log."""

    id: str
    type: str
    created: int
    data: _Data


async def read_kind(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield all objects of the stream's kind, or those that changed since the cursor."""
    kind = BY_NAME[request.stream.name]
    cursor = dict(request.cursor or {}) if not request.full else {}
    since = cursor_instant(cursor, "since", request.now)
    if cursor.get("phase") == "events" and since and request.now - since <= REACH:
        try:
            async for page in _changes(session, request, kind, cursor, since):
                yield page
        except CursorExpired:
            # The log forgot the event at which its next page was to begin: the list instead.
            cursor = {}
        else:
            return
    if cursor.get("phase") != "list":
        cursor = {}
    async with aclosing(read_whole(session, request, kind, cursor)) as pages:
        async for page in pages:
            yield page


async def list_ids(session: Session, request: ReadRequest) -> AsyncIterator[Sequence[str]]:
    """Yield every id that the kind's list shows, to find deletes whose event has expired."""
    kind = BY_NAME[request.stream.name]
    async for listed, _ in session.pages(kind.path, kind.params):
        yield [decode(bytes(raw), Head).id for raw in listed.data]


async def _changes(
    session: Session,
    request: ReadRequest,
    kind: Kind,
    cursor: Mapping[str, Any],
    since: datetime,
) -> AsyncIterator[Page]:
    changed: dict[str, int] = {}
    gone: dict[str, tuple[int, bytes]] = {}
    parents: dict[str, int] = {}
    end: datetime | None = None
    first = str(int((since - OVERLAP).timestamp()))
    wanted = (*kind.events, *kind.follows, *kind.pointers)
    for start in range(0, len(wanted), TYPES_AT_ONCE):
        types = wanted[start : start + TYPES_AT_ONCE]
        params = (("created[gte]", first), *(("types[]", name) for name in types))
        async for listed, response in session.pages("/v1/events", params):
            end = end or server_time(response) - SETTLE
            for raw in listed.data:
                event = decode(bytes(raw), Event)
                if datetime.fromtimestamp(event.created, UTC) > end:
                    continue
                _sort(kind, event, changed, gone, parents)
    for object_id in set(gone) & set(changed):
        # Whichever is newer holds: an id that was deleted never comes back at Stripe.
        changed.pop(object_id)
    async for page in _fetched(session, request, kind, changed):
        yield page
    async for page in _below(session, request, kind, parents):
        yield page
    if gone:
        yield Page([_tombstone(request, one, *what) for one, what in sorted(gone.items())])
    safe = cursor_instant(cursor, "safe", request.now) or since
    if kind.unsettled and request.now - safe >= SAFETY:
        for name in kind.unsettled:
            params = (name, *kind.expanded("data."))
            async for listed, _ in session.pages(kind.path, params):
                yield await page_of(session, request, kind, listed.data)
        safe = request.now
    yield Page(cursor={"phase": "events", "since": text_of(end or since), "safe": text_of(safe)})


def _sort(
    kind: Kind,
    event: Event,
    changed: dict[str, int],
    gone: dict[str, tuple[int, bytes]],
    parents: dict[str, int],
) -> None:
    """Note what an event says: an object to fetch, one that is gone, or a parent to follow."""
    if event.type in kind.pointers:
        named = decode(bytes(event.data.object), _Pointing)
        if (subject_id := getattr(named, kind.object)) is not None:
            changed[subject_id] = max(event.created, changed.get(subject_id, 0))
        return
    subject = decode(bytes(event.data.object), _Subject)
    if subject.id is None:
        return
    if event.type in kind.follows and subject.object != kind.object:
        parents[subject.id] = max(event.created, parents.get(subject.id, 0))
    elif subject.object == kind.object or event.type in kind.events:
        if event.type.endswith(".deleted") and kind.object != "subscription":
            gone[subject.id] = (event.created, bytes(event.data.object))
        else:
            changed[subject.id] = max(event.created, changed.get(subject.id, 0))


async def _fetched(
    session: Session, request: ReadRequest, kind: Kind, changed: Mapping[str, int]
) -> AsyncIterator[Page]:
    """The objects by id, oldest change first."""
    ordered = sorted(changed, key=lambda one: (changed[one], one))
    for start in range(0, len(ordered), FETCHED_AT_ONCE):
        ids = ordered[start : start + FETCHED_AT_ONCE]
        bodies = await asyncio.gather(
            *(session.one(kind.path, one, kind.expanded()) for one in ids)
        )
        found = [msgspec.Raw(body) for body in bodies if body is not None]
        clocks = {one: changed[one] for one in ids}
        page = await page_of(session, request, kind, found, clocks)
        missing = [
            Record(one, None, request.now, "deleted", from_epoch(changed[one]))
            for one, body in zip(ids, bodies, strict=True)
            if body is None
        ]
        yield Page([*page.records, *missing], children=page.children, rejected=page.rejected)


async def _below(
    session: Session, request: ReadRequest, kind: Kind, parents: Mapping[str, int]
) -> AsyncIterator[Page]:
    """The objects of this kind below each changed parent."""
    for parent in sorted(parents, key=lambda one: (parents[one], one)):
        async for listed, _ in session.pages(kind.path, ((kind.follow_filter, parent),)):
            clocks = {decode(bytes(raw), Head).id: parents[parent] for raw in listed.data}
            yield await page_of(session, request, kind, listed.data, clocks)


def _tombstone(request: ReadRequest, object_id: str, created: int, body: bytes) -> Record:
    """A deleted object, with the last that the log says of it."""
    return Record(object_id, landed(body), request.now, "deleted", from_epoch(created))
