"""What is small enough to be read whole each time: people, pipelines, currencies, fields."""

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from connectors.base.decode import decode, partial
from connectors.base.errors import (
    AccessDenied,
    BadRecord,
    BudgetSpent,
    ProtocolError,
    SourceError,
)
from connectors.base.stream import Change, Page, ReadRequest, Record, Rejected
from connectors.base.window import instant_text
from connectors.zoho.modules import MODULES, ORGANIZATION_FIELDS, USER_FIELDS
from connectors.zoho.records import encode, instant, kept, with_field
from connectors.zoho.refusals import NO_FEATURE, NO_MODULE, RefusedError
from connectors.zoho.session import Rows, Session

USER_KINDS: tuple[tuple[str, Change], ...] = (
    ("AllUsers", "upsert"),
    ("DeletedUsers", "archived"),
)


class _Listed(msgspec.Struct):
    id: str | int
    modified_time: str | None = None
    Modified_Time: str | None = None
    status: str | None = None


class _Layout(msgspec.Struct):
    id: str | int
    name: str = ""


class _Field(msgspec.Struct):
    api_name: str


async def read_users(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Users in the fields that are nobody's secret; deleted ones as archived.

    Deals keep the name of an owner who left.
    """
    shown: dict[str, Record] = {}
    rejected: list[Rejected] = []
    for kind, change in USER_KINDS:
        async for page in session.pages("users", "users", {"type": kind}):
            records, bad = _records(page, change, USER_FIELDS)
            rejected += bad
            for one in records:
                shown.setdefault(one.record_id, one)
    if not shown:
        raise ProtocolError("the list of users is empty, and we are one of them")
    gone = [one for one in request.listed_ids() if one not in shown]
    records = [*shown.values(), *(Record(one, None, request.now, "archived") for one in gone)]
    yield Page(records, {"read_at": instant_text(request.now)}, rejected=rejected)


async def read_roles(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Roles with whom they report to."""
    async for page in _whole(session, request, "settings/roles", "roles"):
        yield page


async def read_territories(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Territories; none where the organisation has not turned them on."""
    async for page in _whole(session, request, "settings/territories", "territories"):
        yield page


async def read_currencies(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Currencies with their rate of today, in units per unit of the home currency."""
    async for page in _whole(session, request, "org/currencies", "currencies"):
        yield page


async def read_organization(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """The organisation: its home currency and time zone."""
    page = await session.get("org", "org")
    records, rejected = _records(page, "upsert", ORGANIZATION_FIELDS)
    if not records:
        raise ProtocolError("GET org shows no organisation")
    yield _all_of(request, records, rejected)


async def read_modules(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Modules, an administrator's own among them."""
    page = await session.get("settings/modules", "modules")
    records, rejected = _records(page, "upsert")
    yield _all_of(request, records, rejected)


async def read_pipelines(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Deal pipelines with their stages, layout by layout."""
    layouts = await session.get("settings/layouts", "layouts", {"module": "Deals"})
    records: list[Record] = []
    rejected: list[Rejected] = []
    for raw in layouts.rows:
        layout = decode(bytes(raw), _Layout)
        params = {"layout_id": str(layout.id)}
        page = await session.get("settings/pipeline", "pipeline", params)
        told = {"layout": encode({"id": str(layout.id), "name": layout.name})}
        own, bad = _records(page, "upsert", more=told)
        records += own
        rejected += bad
    yield _all_of(request, records, rejected)


async def read_fields(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """The fields of each module that is read: labels, types, picklists.

    Raises:
        SourceError: after all others were yielded, of the first module that hides its fields.
    """
    settings = session.settings
    modules = await session.modules()
    wanted = [one.name for one in MODULES if settings.is_active(one.stream)]
    ids: list[str] = []
    refused: SourceError | None = None
    for name in [*wanted, *settings.custom_modules]:
        found = modules.get(name)
        if found is None or not found.api_supported:
            continue
        try:
            page = await session.get("settings/fields", "fields", {"module": name, "type": "all"})
        except BudgetSpent:
            raise
        except SourceError as fault:
            if isinstance(fault, AccessDenied) and fault.whole_source:
                raise
            if not (isinstance(fault, RefusedError) and fault.code in NO_MODULE):
                refused = refused or fault
            continue
        records = [
            Record(
                f"{name}:{partial(raw, _Field).api_name}",
                with_field(bytes(raw), "module", encode(name)),
                page.observed_at,
            )
            for raw in page.rows
        ]
        ids += [one.record_id for one in records]
        yield Page(records)
    if refused is not None:
        raise refused
    yield Page(cursor={"read_at": instant_text(request.now)}, complete_ids=ids)


async def _whole(
    session: Session, request: ReadRequest, path: str, key: str
) -> AsyncIterator[Page]:
    """A list without pages; a note where the organisation has no such thing."""
    try:
        page = await session.get(path, key)
    except RefusedError as fault:
        if fault.code not in NO_FEATURE:
            raise
        yield Page(note=f"skipped: {fault}", cursor={"read_at": instant_text(request.now)})
        return
    records, rejected = _records(page, "upsert")
    yield _all_of(request, records, rejected)


def _all_of(request: ReadRequest, records: Sequence[Record], rejected: Sequence[Rejected]) -> Page:
    ids = [one.record_id for one in records]
    ids += [one.record_id for one in rejected if one.record_id is not None]
    cursor = {"read_at": instant_text(request.now)}
    return Page(records, cursor, rejected=rejected, complete_ids=ids)


def _records(
    page: Rows,
    change: Change,
    names: frozenset[str] | None = None,
    more: Mapping[str, bytes] | None = None,
) -> tuple[list[Record], list[Rejected]]:
    records: list[Record] = []
    rejected: list[Rejected] = []
    for raw in page.rows:
        text = bytes(raw)
        try:
            one = partial(text, _Listed)
            payload = text if names is None else kept(text, names)
            for name, value in (more or {}).items():
                payload = with_field(payload, name, value)
        except BadRecord as fault:
            rejected.append(Rejected(None, fault.reason, b"{}" if names else text))
            continue
        at = instant(one.Modified_Time or one.modified_time)
        records.append(Record(str(one.id), payload, page.observed_at, change, at))
    return records, rejected
