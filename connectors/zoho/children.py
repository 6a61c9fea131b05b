"""What is asked for deal by deal: stage history, contacts in their roles, e-mails.

One credit per deal makes these the dearest streams, so only deals that moved are asked for,
out of a share of the credits of their own. They are walked as any module is, and every few
deals the place is kept: what a day's credits do not pay for is read the next day.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import BadRecord, PaginationLoop
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.base.window import cursor_instant, instant_text
from connectors.zoho.modules import BY_STREAM, EMAIL_FIELDS
from connectors.zoho.reading import missing_module
from connectors.zoho.records import Row, encode, instant, kept, with_field
from connectors.zoho.refusals import NO_FEATURE, RefusedError
from connectors.zoho.session import Session
from connectors.zoho.walk import Place, mark_of, walk

DEALS = BY_STREAM["deals"]
AT_ONCE = 10
HISTORY_FIELDS = (
    "Stage,Moved_To__s,Modified_Time,Modified_By,Amount,Probability,Expected_Revenue,Closing_Date"
)
HISTORY_FIELDS_OF_ALL = "Stage,Modified_Time,Modified_By"
"""Where an organisation lacks one of the others."""
ROLE_FIELDS = "Full_Name,Email"
MOST_EMAIL_PAGES = 200


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal that may have to be asked for."""

    row: Row
    stage_changed_at: datetime | None
    created_at: datetime | None


class _Deal(msgspec.Struct):
    Stage_Modified_Time: str | None = None
    Created_Time: str | None = None


class _Child(msgspec.Struct):
    id: str | int
    Modified_Time: str | None = None


class _Email(msgspec.Struct):
    message_id: str
    time: str | None = None
    sent_time: str | None = None


class Children:
    """One read of one of these streams."""

    def __init__(self, session: Session, request: ReadRequest, clock: str) -> None:
        """``clock`` is the field of a deal that tells that it moved."""
        self.session = session
        self.request = request
        self.notes: list[str] = []
        self._clock = clock
        cursor = request.cursor if request.cursor is not None and not request.full else {}
        self._mark: dict[str, Any] = dict(cursor)

    async def pages(
        self,
        ask: Callable[[Deal], Any],
        wants: Callable[[Deal, datetime], bool] = lambda _deal, _since: True,
    ) -> AsyncIterator[Page]:
        """Yield what ``ask`` gives for each deal that moved and that ``wants`` names.

        Args:
            ask: a coroutine of a deal's records and of what cannot land.
            wants: whether a deal is asked for, by the beginning of the window; not asked
                in the first load, which takes them all.
        """
        session, now = self.session, self.request.now
        note = await missing_module(session, DEALS, self.request)
        if note is not None:
            yield Page(note=note)
            return
        started = await session.server_now(now)
        settings = session.settings
        end = (started - timedelta(seconds=settings.settle_seconds)).replace(microsecond=0)
        since = cursor_instant(self._mark, "since", now)
        low = None if since is None else since - timedelta(minutes=settings.lookback_minutes)
        at = cursor_instant(self._mark, "at", now)
        place = None if at is None else Place(at, int(self._mark["id"]))
        if not ((low is not None and low >= end) or (place is not None and place.at >= end)):
            async for found in walk(
                session, DEALS, self._columns, low=low, end=end, place=place, clock=self._clock
            ):
                deals = [_deal(row) for row in found.rows]
                wanted = [one for one in deals if low is None or wants(one, low)]
                for start in range(0, len(wanted), AT_ONCE):
                    part = wanted[start : start + AT_ONCE]
                    answers = await asyncio.gather(*(ask(one) for one in part))
                    self._mark |= mark_of(part[-1].row)
                    yield Page(
                        [record for records, _ in answers for record in records],
                        dict(self._mark),
                        rejected=[one for _, refused in answers for one in refused],
                    )
                if found.last is not None:
                    self._mark |= mark_of(found.last)
                    yield Page(cursor=dict(self._mark))
            self._mark = {"since": instant_text(end)}
        for said in dict.fromkeys(self.notes):
            yield Page(note=said)
        yield Page(cursor=dict(self._mark))

    async def _columns(self) -> Sequence[str]:
        names = {one.api_name for one in await self.session.fields(DEALS.name)}
        further = [name for name in ("Stage_Modified_Time", "Created_Time") if name in names]
        return ("id", self._clock, *further)


def _deal(row: Row) -> Deal:
    found = partial(row.raw, _Deal)
    return Deal(row, instant(found.Stage_Modified_Time), instant(found.Created_Time))


def _has_moved(deal: Deal, since: datetime) -> bool:
    """Whether a deal's stage changed since; where nothing tells, it may have."""
    changed = deal.stage_changed_at
    return changed is None or max(changed, deal.created_at or changed) >= since


async def read_stage_history(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """The stays of each deal that moved: one row per stage, with when it was entered."""
    children = Children(session, request, "Modified_Time")
    fields = HISTORY_FIELDS

    async def ask(deal: Deal) -> tuple[list[Record], list[Rejected]]:
        nonlocal fields
        try:
            return await _stays(session, deal, fields)
        except RefusedError as fault:
            if fault.code in {"INVALID_DATA", "RECORD_NOT_FOUND"} and not fault.details.get(
                "param_name"
            ):
                return [], []  # deleted meanwhile
            if fields == HISTORY_FIELDS_OF_ALL or fault.details.get("param_name") != "fields":
                raise
            fields = HISTORY_FIELDS_OF_ALL
            children.notes.append(f"amounts of past stages are not read: {fault}")
            return await _stays(session, deal, fields)

    async for page in children.pages(ask, _has_moved):
        yield page


async def _stays(session: Session, deal: Deal, fields: str) -> tuple[list[Record], list[Rejected]]:
    path = f"Deals/{deal.row.id}/Stage_History"
    records: list[Record] = []
    rejected: list[Rejected] = []
    async for page in session.pages(path, "data", {"fields": fields}, budget="singly"):
        for raw in page.rows:
            text = bytes(raw)
            try:
                one = partial(text, _Child)
                payload = with_field(text, "deal_id", encode(deal.row.id))
            except BadRecord as fault:
                rejected.append(Rejected(None, fault.reason, text))
                continue
            at = instant(one.Modified_Time)
            records.append(Record(str(one.id), payload, page.observed_at, source_updated_at=at))
    return records, rejected


async def read_contact_roles(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """One record per deal: its contacts in their roles; empty where it has none."""
    children = Children(session, request, "Modified_Time")

    async def ask(deal: Deal) -> tuple[list[Record], list[Rejected]]:
        path = f"Deals/{deal.row.id}/Contact_Roles"
        roles: list[msgspec.Raw] = []
        observed_at = request.now
        async for page in session.pages(path, "data", {"fields": ROLE_FIELDS}, budget="singly"):
            roles += page.rows
            observed_at = page.observed_at
        payload = encode({"deal_id": deal.row.id, "roles": roles})
        return [Record(deal.row.id, payload, observed_at, source_updated_at=deal.row.at)], []

    try:
        async for page in children.pages(ask):
            yield page
    except RefusedError as fault:
        if fault.code not in NO_FEATURE or request.cursor is not None:
            raise
        yield Page(note=f"skipped: {fault}")


async def read_emails(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """E-mails of the deals on which something happened, without their text."""
    names = {one.api_name for one in await session.fields(DEALS.name)}
    clock = "Last_Activity_Time" if "Last_Activity_Time" in names else "Modified_Time"
    children = Children(session, request, clock)

    async def ask(deal: Deal) -> tuple[list[Record], list[Rejected]]:
        return await _emails(session, deal)

    async for page in children.pages(ask):
        yield page


async def _emails(session: Session, deal: Deal) -> tuple[list[Record], list[Rejected]]:
    path = f"Deals/{deal.row.id}/Emails"
    records: list[Record] = []
    rejected: list[Rejected] = []
    index: str | None = None
    seen: set[str] = set()
    while True:
        params = {} if index is None else {"index": index}
        page = await session.get(path, "Emails", params, budget="singly")
        for raw in page.rows:
            text = bytes(raw)
            try:
                one = partial(text, _Email)
                payload = with_field(kept(text, EMAIL_FIELDS), "deal_id", encode(deal.row.id))
            except BadRecord as fault:
                # The text of a message does not go to quarantine either.
                rejected.append(Rejected(None, fault.reason, b"{}"))
                continue
            at = instant(one.sent_time or one.time)
            record_id = f"{deal.row.id}:{one.message_id}"
            records.append(Record(record_id, payload, page.observed_at, source_updated_at=at))
        if not page.more:
            return records, rejected
        if not page.token or page.token in seen or len(seen) > MOST_EMAIL_PAGES:
            raise PaginationLoop(f"GET {path} promises more and does not move on")
        seen.add(page.token)
        index = page.token
