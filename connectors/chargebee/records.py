"""Elements of a list as records, with the lines that an element does not show."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec

from connectors.base.decode import decode, partial
from connectors.base.errors import BadRecord, ProtocolError, VendorError
from connectors.base.stream import Change, Page, Record, Rejected
from connectors.chargebee.kinds import LINES, QUOTE_LINES, Kind
from connectors.chargebee.payload import landed
from connectors.chargebee.session import Session

LINES_PAGE = 300
"""Lines that one further page of an invoice or credit note may hold."""
MOST_LINE_PAGES = 10_000
_DETAILS = ("line_items", "line_item_discounts", "line_item_taxes", "line_item_tiers")


class Head(msgspec.Struct):
    """What every object tells of itself."""

    id: str
    updated_at: int | None = None
    created_at: int | None = None
    resource_version: int | None = None
    deleted: bool = False
    status: str | None = None
    line_items_next_offset: str | None = None
    line_items: list[msgspec.Raw] | None = None


async def page_of(
    session: Session, kind: Kind, rows: Iterable[msgspec.Raw], observed_at: datetime
) -> tuple[Page, list[Head]]:
    """Elements as records, with the children that they do not show, and their heads.

    What cannot be landed is set aside with the text that Chargebee sent, less what never
    lands.
    """
    records: list[Record] = []
    rejected: list[Rejected] = []
    below: list[Record] = []
    heads: list[Head] = []
    for row in rows:
        raw = bytes(row)
        try:
            raw = object_in(raw, kind)
            head = partial(raw, Head)
            records.append(_record(head, raw, observed_at))
        except BadRecord as error:
            rejected.append(_set_aside(raw, error))
            continue
        heads.append(head)
        if not head.deleted:
            below += await _lines(session, kind, head)
    children = {}
    if kind.name in LINES:
        children = {LINES[kind.name]: below}
    elif kind.lines_path is not None:
        children = {QUOTE_LINES: below}
    return Page(records, children=children, rejected=rejected), heads


def object_in(element: bytes, kind: Kind) -> bytes:
    """The object of an element, which stands beside others such as a customer's card.

    Raises:
        BadRecord: there is none of this kind.
    """
    raw = partial(element, dict[str, msgspec.Raw]).get(kind.key)
    if raw is None:
        raise BadRecord(f"an element of {kind.name} holds no {kind.key}")
    return bytes(raw)


def _record(head: Head, raw: bytes, observed_at: datetime) -> Record:
    clock = head.updated_at if head.updated_at is not None else head.created_at
    is_gone = head.deleted or head.status == "deleted"
    change: Change = "deleted" if is_gone else "upsert"
    updated = None if clock is None else from_epoch(clock)
    return Record(head.id, landed(raw), observed_at, change, updated)


async def _lines(session: Session, kind: Kind, head: Head) -> list[Record]:
    """The lines that an object has and does not show; none of one that is gone by now."""
    try:
        if kind.has_more_lines and head.line_items_next_offset:
            return [one async for one in _more_lines(session, kind, head)]
        if kind.lines_path is not None and not head.line_items:
            return [one async for one in _line_groups(session, kind, head)]
    except VendorError as fault:
        # Deleted between its list and now: the next window says so.
        if fault.status != 404:
            raise
    return []


async def _more_lines(session: Session, kind: Kind, head: Head) -> AsyncIterator[Record]:
    """Further lines, a record a page: they bear their parent's version, and go with it.

    Raises:
        ProtocolError: the pages do not end or go round.
    """
    offset = head.line_items_next_offset
    seen: set[str] = set()
    number = 0
    while offset:
        number += 1
        if offset in seen or number > MOST_LINE_PAGES:
            raise ProtocolError(f"the lines of {kind.key} {head.id} go round or never end")
        seen.add(offset)
        params = (("line_items_limit", str(LINES_PAGE)), ("line_items_offset", offset))
        response = await session.get(f"{kind.path}/{_segment(head.id)}", params)
        raw = object_in(response.body, kind)
        found = partial(raw, Head)
        parts = partial(raw, dict[str, msgspec.Raw])
        content = {name: parts[name] for name in _DETAILS if name in parts}
        more = {
            f"{kind.key}_id": head.id,
            "page": number,
            "resource_version": head.resource_version,
            "updated_at": head.updated_at,
        }
        text = landed(msgspec.json.encode(content), more)
        yield Record(f"{head.id}:{number}", text, response.observed_at)
        offset = found.line_items_next_offset


async def _line_groups(session: Session, kind: Kind, head: Head) -> AsyncIterator[Record]:
    """The groups of lines of a quote that shows none itself."""
    more = {"quote_id": head.id, "resource_version": head.resource_version}
    path = f"{kind.path}/{_segment(head.id)}/{kind.lines_path}"
    number = 0
    async for page in session.pages(path):
        for row in page.rows:
            number += 1
            raw = partial(row, dict[str, msgspec.Raw]).get("quote_line_group")
            if raw is None:
                raise ProtocolError(f"an element of {path} holds no quote_line_group")
            text = landed(bytes(raw), {**more, "position": number})
            yield Record(f"{head.id}:{number}", text, page.response.observed_at)


def _segment(record_id: str) -> str:
    """An id as a segment of a path: merchants choose ids, and a slash may be in them."""
    return quote(record_id, safe="")


class _Id(msgspec.Struct):
    id: str | None = None


def _set_aside(body: bytes, error: BadRecord) -> Rejected:
    try:
        record_id = decode(body, _Id).id
        raw = landed(body)
    except (ProtocolError, BadRecord):
        return Rejected(None, error.reason, body)
    return Rejected(record_id, error.reason, raw)


def from_epoch(seconds: int) -> datetime:
    """Chargebee's seconds since 1970 as an instant.

    Raises:
        BadRecord: no year holds them.
    """
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise BadRecord(f"{seconds} seconds since 1970 are no instant") from None
