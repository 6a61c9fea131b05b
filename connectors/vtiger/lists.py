"""What is small enough to be read whole each time: people, currencies, descriptions."""

from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

from connectors.base.errors import (
    AccessDenied,
    BadRecord,
    BudgetSpent,
    PaginationLoop,
    ProtocolError,
    SourceError,
)
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.base.window import instant_text
from connectors.vtiger.modules import MODULES, USER_FIELDS, Module
from connectors.vtiger.records import Row, by_number, read_rows, record
from connectors.vtiger.session import Session

# Their fields are kept in the description, so that a custom field has a label.
DESCRIBED = ("Users", "Groups", "Currency")


async def missing_module(session: Session, module: Module, request: ReadRequest) -> str | None:
    """Why a module is not read, in words for the report; None where it is there.

    Raises:
        AccessDenied: it has to be there, or has been read before.
    """
    if module.name in await session.types():
        return None
    if module.is_core or request.cursor is not None:
        raise AccessDenied(
            f"the module {module.name} is not shown to this user. Let the user's profile read "
            "it, or drop the stream from `streams`."
        )
    return (
        f"skipped: there is no module {module.name} here, or this user's profile does not show it"
    )


async def read_users(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Active users, in the fields that are nobody's secret.

    The server shows no others: who is missing has been deactivated and is landed as
    archived, so that deals keep the name of their owner.
    """
    shown: set[str] = set()
    async for page in _all(session, request, "Users", kept=USER_FIELDS):
        shown.update(one.record_id for one in page.records)
        yield page
        if page.note is not None:
            return
    if not shown:
        raise ProtocolError("the list of users is empty, and we are one of them")
    gone = [one for one in request.listed_ids() if one not in shown]
    yield Page(
        [Record(one, None, request.now, "archived") for one in gone],
        cursor={"read_at": instant_text(request.now)},
    )


async def read_groups(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Groups, which own records as users do."""
    async for page in _snapshot(session, request, "Groups"):
        yield page


async def read_currencies(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Currencies with their rate of today; the base currency's rate is one."""
    async for page in _snapshot(session, request, "Currency"):
        yield page


async def read_modules(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """The description of each module that is read: fields, labels, picklists.

    Raises:
        SourceError: after all others were yielded, of the first that cannot be described.
    """
    types = await session.types()
    named = [one.name for one in MODULES if session.settings.is_active(one.stream)]
    present = [one for one in (*named, *DESCRIBED) if one in types]
    refused: SourceError | None = None
    for name in present:
        try:
            described = await session.describe(name)
        except BudgetSpent:
            raise
        except SourceError as fault:
            if isinstance(fault, AccessDenied) and fault.whole_source:
                raise
            refused = refused or fault
            continue
        yield Page([Record(name, described, request.now)])
    if refused is not None:
        raise refused
    yield Page(cursor={"read_at": instant_text(request.now)}, complete_ids=present)


async def _snapshot(session: Session, request: ReadRequest, name: str) -> AsyncIterator[Page]:
    ids: list[str] = []
    async for page in _all(session, request, name):
        ids += [one.record_id for one in page.records]
        yield page
        if page.note is not None:
            return
    yield Page(cursor={"read_at": instant_text(request.now)}, complete_ids=ids)


async def _all(
    session: Session, request: ReadRequest, name: str, kept: frozenset[str] = frozenset()
) -> AsyncIterator[Page]:
    """Every row of a module, by id; one page with a note where there is no such module."""
    note = await missing_module(session, Module(request.stream.name, name, ""), request)
    if note is not None:
        yield Page(note=note)
        return
    columns = await session.columns(name, kept) if kept else "*"
    zone = ZoneInfo(session.settings.time_zone)
    last: Row | None = None
    while True:
        conditions = () if last is None else (f"id > '{last.id}'",)
        found = await session.query(name, *conditions, columns=columns)
        rows, rejected = read_rows(found.rows)
        records: list[Record] = []
        for row in rows:
            try:
                records.append(record(row, found.observed_at, zone, kept))
            except BadRecord as fault:
                rejected.append(Rejected(row.id, fault.reason, row.raw))
        yield Page(records, rejected=rejected)
        if not rows:
            return
        if last is not None and min(row.number for row in rows) <= last.number:
            raise PaginationLoop(f"the ids of {name} do not move past {last.id}")
        last = max(rows, key=by_number)
