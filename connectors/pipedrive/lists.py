"""What is small enough to be read whole each time; what is missing from it is gone."""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from itertools import product
from typing import Any

import msgspec

from connectors.base.decode import decode, partial
from connectors.base.errors import AccessDenied, BadRecord, ProtocolError, SourceError
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.base.window import instant_text
from connectors.pipedrive.kinds import FIELDS, GOAL_ASSIGNEES, SMALL_BY_NAME, V1_LIST_COST, Small
from connectors.pipedrive.session import Envelope, Session, instant, is_lacking

SECRET_FIELDS = frozenset({"api_token", "password", "access_token"})


class _Goals(msgspec.Struct):
    goals: list[msgspec.Raw]


async def read_small(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """The list that bears the stream's name."""
    small = SMALL_BY_NAME[request.stream.name]
    ids: list[str] = []
    try:
        async for page in _rows(session, small):
            ids += [record.record_id for record in page.records]
            yield page
    except SourceError as fault:
        if not (small.is_optional and is_lacking(fault)):
            raise
        yield Page(note=f"skipped: the company has no {small.name.replace('_', ' ')}")
        return
    yield _whole(request, ids)


async def read_fields(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Field definitions with their options; ids are ``<kind>:<field code>``.

    Raises:
        AccessDenied: after all readable ones were yielded.
    """
    refused: AccessDenied | None = None
    ids: list[str] = []
    lacking: list[str] = []
    for small in FIELDS:
        try:
            async for page in _rows(session, small):
                ids += [record.record_id for record in page.records]
                yield page
        except AccessDenied as fault:
            if fault.whole_source:
                raise
            refused = fault
        except SourceError as fault:
            if not is_lacking(fault):
                raise
            lacking.append(small.name)
    if refused is not None:
        raise refused
    if lacking:
        yield Page(
            cursor={"read_at": instant_text(request.now)},
            note=f"no field definitions of {', '.join(lacking)} here",
        )
        return
    yield _whole(request, ids)


async def read_goals(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Goals of all, past ones too: unasked the vendor shows active ones of our own user."""
    ids: list[str] = []
    for assignee, is_active in product(GOAL_ASSIGNEES, ("true", "false")):
        params = {"assignee.type": assignee, "is_active": is_active}
        try:
            response = await session.get("/v1/goals/find", params, cost=V1_LIST_COST)
        except SourceError as fault:
            if assignee == "team" and (is_lacking(fault) or fault.status == 400):
                continue  # a company without teams has no goals of theirs
            raise
        rows = decode(response.decode(Envelope).content, _Goals).goals
        page = _page(rows, response.observed_at, SMALL_BY_NAME["pipelines"])
        ids += [record.record_id for record in page.records]
        yield page
    yield _whole(request, ids)


async def _rows(session: Session, small: Small) -> AsyncIterator[Page]:
    if small.path.startswith("/v1/"):
        async for listed in session.offset_pages(small.path, {}, cost=small.cost, is_paged=False):
            yield _page(listed.rows, listed.observed_at, small)
        return
    async for page in session.pages(small.path, {}, cost=small.cost):
        yield _page(page.rows, page.response.observed_at, small)


def _page(rows: Iterable[msgspec.Raw], observed_at: datetime, small: Small) -> Page:
    records: list[Record] = []
    rejected: list[Rejected] = []
    for row in rows:
        raw = bytes(row)
        try:
            fields = partial(raw, dict[str, msgspec.Raw])
            record_id = small.prefix + _name(fields, small)
        except (BadRecord, ProtocolError) as fault:
            rejected.append(Rejected(None, str(fault), raw))
            continue
        secrets = SECRET_FIELDS & fields.keys()
        if secrets:
            raw = msgspec.json.encode(
                {name: text for name, text in fields.items() if name not in secrets}
            )
        updated_at = _updated(fields)
        records.append(Record(record_id, raw, observed_at, source_updated_at=updated_at))
    return Page(records=records, rejected=rejected)


def _name(fields: Mapping[str, msgspec.Raw], small: Small) -> str:
    # Field definitions are named by `field_code` in v2 and by `key` in v1.
    keys = ("field_code", "key") if small.prefix else (small.key,)
    for key in keys:
        if key in fields:
            value: Any = decode(bytes(fields[key]), Any)
            if value is not None:
                return str(value)
    raise BadRecord(f"no {' or '.join(keys)}")


def _updated(fields: Mapping[str, msgspec.Raw]) -> datetime | None:
    for key in ("update_time", "modified"):
        if key in fields:
            try:
                return instant(decode(bytes(fields[key]), str))
            except ProtocolError:
                return None
    return None


def _whole(request: ReadRequest, ids: list[str]) -> Page:
    return Page(cursor={"read_at": instant_text(request.now)}, complete_ids=ids)
