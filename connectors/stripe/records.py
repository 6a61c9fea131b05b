"""Objects as records, with the lists below them that an answer does not show to the end."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from connectors.base.decode import decode
from connectors.base.errors import BadRecord, ProtocolError
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.stripe.kinds import Children, Kind
from connectors.stripe.payload import landed
from connectors.stripe.session import Head, Listed, Session


async def page_of(
    session: Session,
    request: ReadRequest,
    kind: Kind,
    objects: Iterable[msgspec.Raw],
    clocks: Mapping[str, int] | None = None,
) -> Page:
    """Objects as records, with the children that the parent's payload does not hold.

    ``clocks`` are the seconds at which the log says that an object changed, by id. What
    cannot be landed is set aside with the text that Stripe sent, less what never lands.
    """
    records: list[Record] = []
    rejected: list[Rejected] = []
    below: list[Record] = []
    for raw in objects:
        body = bytes(raw)
        try:
            records.append(record_of(session, request, body, clocks))
        except (BadRecord, ProtocolError) as error:
            rejected.append(_set_aside(body, error))
            continue
        if kind.children is not None:
            found, bad = await _children(session, request, kind, kind.children, body)
            below += found
            rejected += bad
    children = {} if kind.children is None else {kind.children.stream: below}
    return Page(records, children=children, rejected=rejected)


def record_of(
    session: Session,
    request: ReadRequest,
    body: bytes,
    clocks: Mapping[str, int] | None = None,
    more: Mapping[str, str] | None = None,
) -> Record:
    """One object as a record.

    Raises:
        BadRecord: it belongs to the other mode, or cannot be read.
        ProtocolError: it has no id.
    """
    head = decode(body, Head)
    if head.livemode is not None and head.livemode != session.settings.is_live:
        raise BadRecord(f"{head.id} is of the other mode (livemode {head.livemode})")
    clock = (clocks or {}).get(head.id)
    updated = None if clock is None else from_epoch(clock)
    return Record(head.id, landed(body, more), request.now, "upsert", updated)


async def _children(
    session: Session, request: ReadRequest, kind: Kind, children: Children, body: bytes
) -> tuple[list[Record], list[Rejected]]:
    """Every child of an object that has more than it shows, or that shall land them all."""
    parent = decode(body, Head).id
    shown = _inline(body, children.inline)
    found: list[msgspec.Raw] = []
    if shown is not None and not shown.has_more:
        if not children.always:
            return [], []
        found = shown.data
    elif shown is None and not children.always:
        return [], []
    else:
        path, params = children.address(kind.path, parent)
        async for listed, _ in session.pages(path, params):
            found += listed.data
    records: list[Record] = []
    rejected: list[Rejected] = []
    for raw in found:
        try:
            more = {children.parent: parent}
            records.append(record_of(session, request, bytes(raw), more=more))
        except (BadRecord, ProtocolError) as error:
            rejected.append(_set_aside(bytes(raw), error))
    return records, rejected


def _inline(body: bytes, name: str) -> Listed | None:
    """The list inside an object; None where the answer does not hold it."""
    raw = decode(body, dict[str, msgspec.Raw]).get(name)
    if raw is None or bytes(raw) == b"null":
        return None
    return decode(bytes(raw), Listed)


def _set_aside(body: bytes, error: Exception) -> Rejected:
    try:
        object_id = decode(body, Head).id
    except ProtocolError:
        object_id = None
    try:
        raw = landed(body)
    except BadRecord:
        raw = body
    return Rejected(object_id, str(error), raw)


def from_epoch(seconds: int) -> datetime:
    """Stripe's seconds since 1970 as an instant."""
    return datetime.fromtimestamp(seconds, UTC)


def text_of(instant: datetime) -> str:
    """An instant as cursors store it."""
    return instant.astimezone(UTC).isoformat()
