"""What each deal went through: the changelog, only of deals that moved, within its budget.

One call per deal at 20 tokens makes this the dearest stream by far. A deal is asked for
when its update_time moved and its stage, status, value, owner, pipeline, probability or
closing date differs from when it was last asked for; of deals that are not open no such
mark is kept, they seldom move. After the first changes come the deals of before: open ones
first, then closed ones, newest first, over as many days as the tokens take.

Cursor: ``since`` and ``read`` (ids read within the overlap, with their update_time),
``marks`` of open deals, ``backfill`` (phase, before, ties) until the past is read.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.base.decode import decode, partial
from connectors.base.errors import AccessDenied, BadRecord, ProtocolError, VendorError
from connectors.base.stream import Page, ReadRequest, Record
from connectors.base.window import cursor_instant, instant_text
from connectors.pipedrive.kinds import CHANGELOG_COST, DEALS, V2_ONE_COST
from connectors.pipedrive.reading import LOOKBACK, walk_params
from connectors.pipedrive.session import Session, instant, second_text

AT_ONCE = 20
NULL_BODY_TRIES = 3
PHASES = {"open": "open", "closed": "won,lost", "archived": "open,won,lost"}
"""The past in the order in which it is read, with the statuses to ask for."""
PAST = {"sort_by": "update_time", "sort_direction": "desc"}


class Deal(msgspec.Struct):
    """What decides whether a deal is asked for."""

    id: int
    update_time: str | None = None
    status: str | None = None
    stage_change_time: str | None = None
    stage_id: Any = None
    pipeline_id: Any = None
    value: Any = None
    currency: Any = None
    owner_id: Any = None
    probability: Any = None
    expected_close_date: Any = None

    @property
    def mark(self) -> str:
        """Differs when something that the history tells of differs."""
        told = (
            self.status, self.stage_change_time, self.stage_id, self.pipeline_id,
            self.value, self.currency, self.owner_id, self.probability,
            self.expected_close_date,
        )  # fmt: skip
        return hashlib.sha256(repr(told).encode()).hexdigest()[:8]


class _Row(msgspec.Struct):
    field_key: str
    time: str
    old_value: Any = None
    new_value: Any = None


async def read_changelog(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Changes of deals that moved, then of deals of before."""
    cursor = {} if request.full else dict(request.cursor or {})
    if "since" not in cursor:
        cursor["since"] = instant_text(request.now)
        cursor["backfill"] = {"phase": "open", "before": None, "ties": []}
    history = _History(session, request, cursor)
    yield Page(cursor=history.dump())
    async for page in history.changed():
        yield page
    async for page in history.past():
        yield page


class _History:
    def __init__(self, session: Session, request: ReadRequest, cursor: dict[str, Any]) -> None:
        self._session = session
        self._request = request
        self._cursor = cursor
        self._marks: dict[str, str] = dict(cursor.get("marks", {}))
        self._read: dict[str, str] = dict(cursor.get("read", {}))

    def dump(self) -> dict[str, Any]:
        """The cursor as it stands."""
        return {**self._cursor, "marks": dict(self._marks), "read": dict(self._read)}

    async def changed(self) -> AsyncIterator[Page]:
        """Deals whose update_time moved, oldest change first, in both lists."""
        known = cursor_instant(self._cursor, "since", self._request.now) or self._request.now
        bound = known - LOOKBACK
        reached = known
        for path, cost in DEALS.lists:
            async for page in self._session.pages(path, walk_params(DEALS, bound), cost=cost):
                deals = _deals(page.rows)
                for part in _parts([one for one in deals if self._is_moved(one)]):
                    records, done, fault = await self._logs(part, bound)
                    self._read |= {str(one.id): one.update_time or "" for one in done}
                    # ``since`` stays: the ids read are what is not read again.
                    yield Page(records, self.dump())
                    if fault is not None:
                        raise fault
                reached = max([reached, *(_moment(one, reached) for one in deals)])
        self._cursor["since"] = instant_text(reached)
        floor = reached - LOOKBACK
        self._read = {
            key: text
            for key, text in self._read.items()
            if (moment := instant(text)) is not None and moment >= floor
        }
        yield Page(cursor=self.dump())

    def _is_moved(self, deal: Deal) -> bool:
        key = str(deal.id)
        return self._read.get(key) != (deal.update_time or "") and (
            self._marks.get(key) != deal.mark
        )

    async def past(self) -> AsyncIterator[Page]:
        """Deals of before the first run, newest first; each batch is a resume point."""
        state = self._cursor.get("backfill")
        while state:
            phase = state["phase"]
            path, cost = DEALS.lists[1 if phase == "archived" else 0]
            params = {**PAST, "status": PHASES[phase]}
            if state["before"]:
                params["updated_until"] = state["before"]
            async for page in self._session.pages(path, params, cost=cost):
                deals = _deals(page.rows)
                skipped = set(state["ties"])
                # A marked deal changed since the first run, and was then read whole.
                unread = [one for one in deals if self._marks.get(str(one.id)) != one.mark]
                for part in _parts([one for one in unread if one.id not in skipped]):
                    records, done, fault = await self._logs(part, None)
                    state = _passed(state, done)
                    self._cursor["backfill"] = state
                    yield Page(records, self.dump())
                    if fault is not None:
                        raise fault
            later = list(PHASES)[list(PHASES).index(phase) + 1 :]
            state = {"phase": later[0], "before": None, "ties": []} if later else None
            self._cursor["backfill"] = state
            yield Page(cursor=self.dump())

    async def _logs(
        self, deals: Sequence[Deal], bound: datetime | None
    ) -> tuple[list[Record], Sequence[Deal], BaseException | None]:
        """Changes of the deals before the first fault: what was paid for is landed."""
        found = await asyncio.gather(
            *(self._log(one, bound) for one in deals), return_exceptions=True
        )
        records: list[Record] = []
        for place, (deal, told) in enumerate(zip(deals, found, strict=True)):
            if isinstance(told, BaseException):
                return records, deals[:place], told
            records += told
            if deal.status == "open":
                self._marks[str(deal.id)] = deal.mark
            else:
                self._marks.pop(str(deal.id), None)
        return records, deals, None

    async def _log(self, deal: Deal, bound: datetime | None) -> list[Record]:
        """One deal's changes, newest first; none where it was deleted or closed meanwhile.

        Further pages are left when they are older than the last reading by a day.
        """
        records: list[Record] = []
        equal: Counter[str] = Counter()
        path = f"/v1/deals/{deal.id}/changelog"
        is_known = bound is not None and str(deal.id) in self._marks
        floor = bound - timedelta(days=1) if bound is not None and is_known else None
        try:
            async for rows, observed_at in self._log_pages(path):
                oldest: datetime | None = None
                for raw in rows:
                    row = partial(raw, _Row)
                    text = bytes(raw)
                    # The vendor numbers no rows; equal ones of one second are counted.
                    told = repr((row.time, row.field_key, row.old_value, row.new_value))
                    digest = hashlib.sha256(told.encode()).hexdigest()[:16]
                    equal[digest] += 1
                    name = f"{deal.id}:{row.time.replace(' ', 'T')}:{row.field_key}:{digest}"
                    oldest = instant(row.time)
                    payload = _with_deal(text, deal.id)
                    number = equal[digest]
                    record_id = name if number == 1 else f"{name}:{number}"
                    records.append(
                        Record(record_id, payload, observed_at, source_updated_at=oldest)
                    )
                is_old = oldest is not None and floor is not None and oldest < floor
                if is_old:
                    break
        except VendorError as fault:
            if fault.status not in {404, 410}:
                raise
        except AccessDenied as fault:
            if fault.whole_source or await self._is_shown(deal):
                raise
        return records

    async def _is_shown(self, deal: Deal) -> bool:
        """Whether the deal itself may be read: then its history lacks a right of ours."""
        try:
            data, _ = await self._session.one(f"{DEALS.path}/{deal.id}", cost=V2_ONE_COST)
        except AccessDenied:
            return False
        return data is not None

    async def _log_pages(self, path: str) -> AsyncIterator[tuple[Sequence[msgspec.Raw], datetime]]:
        tries = NULL_BODY_TRIES
        while tries:
            try:
                async for page in self._session.pages(
                    path, {}, cost=CHANGELOG_COST, budget="history"
                ):
                    tries = 1
                    yield page.rows, page.response.observed_at
            except ProtocolError:
                # Seen at the vendor: a 200 that says `null`; asked again it is right.
                tries -= 1
                if not tries:
                    raise
            else:
                return


def _with_deal(row: bytes, deal_id: int) -> bytes:
    """The row as it came, with the deal that it belongs to."""
    fields = decode(row, dict[str, msgspec.Raw])
    fields["deal_id"] = msgspec.Raw(str(deal_id).encode())
    return msgspec.json.encode(fields)


def _deals(rows: Sequence[msgspec.Raw]) -> list[Deal]:
    """The deals of a page; what cannot be read is quarantined by the stream of deals."""
    found = []
    for row in rows:
        try:
            deal = partial(row, Deal)
        except BadRecord:
            continue
        if deal.status != "deleted":
            found.append(deal)
    return found


def _moment(deal: Deal, fallback: datetime) -> datetime:
    return instant(deal.update_time) or fallback


def _parts(deals: Sequence[Deal]) -> list[Sequence[Deal]]:
    return [deals[start : start + AT_ONCE] for start in range(0, len(deals), AT_ONCE)]


def _passed(state: dict[str, Any], part: Sequence[Deal]) -> dict[str, Any]:
    """Where the past is resumed: below the last deal's second, but for those of it read."""
    last = instant(part[-1].update_time) if part else None
    if last is None:
        return state
    before = second_text(last + timedelta(seconds=1))
    ties = list(state["ties"]) if before == state["before"] else []
    ties += [one.id for one in part if instant(one.update_time) == last]
    return {"phase": state["phase"], "before": before, "ties": ties}
