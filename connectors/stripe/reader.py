"""First a whole list, then the event log; whatever changed is fetched by its id.

An event's own copy of the object is rendered in the version of its day, so it serves as a
signal only. The log runs newest first and reaches back 30 days: a pass must be read to its
end before the cursor moves, and a gap of more than 29 days calls for the list again.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connectors.base.decode import decode
from connectors.base.errors import BadRecord, CursorExpired, ProtocolError
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.base.window import cursor_instant
from connectors.stripe.kinds import BALANCE_TRANSACTIONS, BY_NAME, Kind
from connectors.stripe.payload import landed
from connectors.stripe.session import Head, Session, server_time

OVERLAP = timedelta(minutes=10)
SETTLE = timedelta(seconds=60)
REACH = timedelta(days=29)
SAFETY = timedelta(days=7)
SWEEP = timedelta(days=28)
"""Shorter than ``REACH``: a gap that lost events is followed by a sweep for deletes."""
TYPES_AT_ONCE = 20
FETCHED_AT_ONCE = 50
BALANCE_LOOKBACK = timedelta(days=8)
"""A balance transaction turns from pending to available within a week."""


class _Subject(msgspec.Struct):
    id: str | None = None
    object: str = ""


class _Data(msgspec.Struct):
    object: msgspec.Raw


class Event(msgspec.Struct):
    """An entry of the log."""

    id: str
    type: str
    created: int
    data: _Data


class _Lines(msgspec.Struct):
    has_more: bool = False


class _WithLines(msgspec.Struct):
    id: str
    lines: _Lines | None = None


async def read_kind(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield all objects of the stream's kind, or those that changed since the cursor."""
    kind = BY_NAME[request.stream.name]
    cursor = dict(request.cursor or {}) if not request.full else {}
    since = cursor_instant(cursor, "since", request.now)
    if cursor.get("phase") == "events" and since and request.now - since <= REACH:
        async for page in _changes(session, request, kind, cursor, since):
            yield page
        return
    if cursor.get("phase") != "list":
        cursor = {}
    try:
        async for page in _whole(session, request, kind, cursor):
            yield page
    except CursorExpired:
        # The object at which the list was to go on is gone: from the top again.
        async for page in _whole(session, request, kind, {}):
            yield page


async def list_ids(session: Session, request: ReadRequest) -> AsyncIterator[Sequence[str]]:
    """Yield every id that the kind's list shows, to find deletes whose event has expired."""
    kind = BY_NAME[request.stream.name]
    async for listed, _ in session.pages(kind.path, kind.params):
        yield [decode(bytes(raw), Head).id for raw in listed.data]


async def _whole(
    session: Session, request: ReadRequest, kind: Kind, cursor: Mapping[str, Any]
) -> AsyncIterator[Page]:
    """The list from where it stopped; changes under way are in the log from its start on."""
    began: str | None = cursor.get("began")
    async for listed, response in session.pages(kind.path, kind.params, cursor.get("after")):
        began = began or _text(server_time(response))
        page = await _page(session, request, kind, listed.data, None)
        after = decode(bytes(listed.data[-1]), Head).id if listed.data else None
        mark = {"phase": "list", "began": began, "after": after}
        yield Page(
            page.records,
            cursor=mark if listed.has_more else None,
            children=page.children,
            rejected=page.rejected,
        )
    start = began or _text(request.now)
    yield Page(cursor={"phase": "events", "since": start, "safe": start})


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
    wanted = (*kind.events, *kind.follows)
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
            async for listed, _ in session.pages(kind.path, (name,)):
                yield await _page(session, request, kind, listed.data, None)
        safe = request.now
    yield Page(cursor={"phase": "events", "since": _text(end or since), "safe": _text(safe)})


def _sort(
    kind: Kind,
    event: Event,
    changed: dict[str, int],
    gone: dict[str, tuple[int, bytes]],
    parents: dict[str, int],
) -> None:
    """Note what an event says: an object to fetch, one that is gone, or a parent to follow."""
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
        bodies = await asyncio.gather(*(session.one(kind.path, one) for one in ids))
        found = [msgspec.Raw(body) for body in bodies if body is not None]
        clocks = {one: changed[one] for one in ids}
        page = await _page(session, request, kind, found, clocks)
        missing = [
            Record(one, None, request.now, "deleted", _from_epoch(changed[one]))
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
            yield await _page(session, request, kind, listed.data, clocks)


async def _page(
    session: Session,
    request: ReadRequest,
    kind: Kind,
    objects: Iterable[msgspec.Raw],
    clocks: Mapping[str, int] | None,
) -> Page:
    """Objects as records, with the lines that an answer did not show."""
    records: list[Record] = []
    rejected: list[Rejected] = []
    lines: list[Record] = []
    for raw in objects:
        body = bytes(raw)
        try:
            record = _record(session, request, body, clocks)
        except (BadRecord, ProtocolError) as error:
            rejected.append(Rejected(None, str(error), b""))
            continue
        records.append(record)
        if kind.lines is not None:
            holder = decode(body, _WithLines)
            if holder.lines is not None and holder.lines.has_more:
                lines += await _all_lines(session, request, kind, holder.id)
    children = {kind.lines: lines} if kind.lines is not None else {}
    return Page(records, children=children, rejected=rejected)


async def _all_lines(
    session: Session, request: ReadRequest, kind: Kind, parent: str
) -> list[Record]:
    """Every line of an object that has more than the answer's ten."""
    found: list[Record] = []
    async for listed, _ in session.pages(f"{kind.path}/{parent}/lines"):
        found += [_record(session, request, bytes(raw), None) for raw in listed.data]
    return found


def _record(
    session: Session, request: ReadRequest, body: bytes, clocks: Mapping[str, int] | None
) -> Record:
    head = decode(body, Head)
    if head.livemode is not None and head.livemode != session.settings.is_live:
        raise BadRecord(f"{head.id} is of the other mode (livemode {head.livemode})")
    clock = (clocks or {}).get(head.id)
    updated = None if clock is None else _from_epoch(clock)
    return Record(head.id, landed(body), request.now, "upsert", updated)


def _tombstone(request: ReadRequest, object_id: str, created: int, body: bytes) -> Record:
    """A deleted object, with the last that the log says of it."""
    return Record(object_id, landed(body), request.now, "deleted", _from_epoch(created))


async def read_balance_transactions(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield the account's ledger, fees and settled amounts; it has no events.

    What was made within eight days before the last pass is read again: its status moves.
    """
    since = None if request.full else cursor_instant(request.cursor, "since", request.now)
    params: tuple[tuple[str, str], ...] = ()
    if since is not None:
        params = (("created[gte]", str(int((since - BALANCE_LOOKBACK).timestamp()))),)
    began: datetime | None = None
    async for listed, response in session.pages(BALANCE_TRANSACTIONS.path, params):
        began = began or server_time(response)
        yield await _page(session, request, BALANCE_TRANSACTIONS, listed.data, None)
    yield Page(cursor={"since": _text(began or request.now)})


class _Balance(msgspec.Struct):
    id: str
    balance: int = 0


class _Opening(msgspec.Struct):
    customer: str | None = None
    starting_balance: int = 0
    ending_balance: int | None = None


async def read_customer_balances(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield the ledger of each customer whose credit balance moved.

    There is no list over all customers and no event: customers with a balance, and those
    whose invoices began or ended with one, are asked; later only those that changed.
    """
    since = None if request.full else cursor_instant(request.cursor, "since", request.now)
    customers: set[str] = set()
    began: datetime | None = None
    if since is not None and request.now - since <= REACH:
        first = str(int((since - OVERLAP).timestamp()))
        for kind in ("customer.updated", "invoice.finalized", "credit_note.created"):
            params = (("created[gte]", first), ("types[]", kind))
            async for listed, response in session.pages("/v1/events", params):
                began = began or server_time(response)
                for raw in listed.data:
                    subject = bytes(decode(bytes(raw), Event).data.object)
                    if kind == "customer.updated":
                        customers.add(decode(subject, _Balance).id)
                    else:
                        customers.add(decode(subject, _Opening).customer or "")
    else:
        async for listed, response in session.pages("/v1/customers"):
            began = began or server_time(response)
            found = [decode(bytes(raw), _Balance) for raw in listed.data]
            customers.update(one.id for one in found if one.balance)
        async for listed, _ in session.pages("/v1/invoices"):
            for raw in listed.data:
                opening = decode(bytes(raw), _Opening)
                if opening.starting_balance or opening.ending_balance:
                    customers.add(opening.customer or "")
    for customer in sorted(customers - {""}):
        path = f"/v1/customers/{customer}/balance_transactions"
        async for listed, _ in session.pages(path):
            records = [_record(session, request, bytes(raw), None) for raw in listed.data]
            yield Page(records)
    yield Page(cursor={"since": _text((began or request.now) - SETTLE)})


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()


def _from_epoch(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
