"""The lead inbox and its archive, which v1 alone lists.

v1 pages by offset, which shifts when leads change under way. So the walk by update_time
asks anew from the last page's newest second, and uses an offset only while one second
fills whole pages. Converted leads vanish: the deals say from which lead they came.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.base.window import cursor_instant, instant_text
from connectors.pipedrive.kinds import (
    DEALS,
    V1_ARCHIVED_LEADS_COST,
    V1_LIST_COST,
    V1_ONE_COST,
    V2_LIST_COST,
)
from connectors.pipedrive.reading import LOOKBACK, MOST_ASKED_SINGLY, walk_params
from connectors.pipedrive.records import collect, judged
from connectors.pipedrive.session import Envelope, Session, second_text

LISTS = (
    ("/v1/leads", "since", V1_LIST_COST),
    ("/v1/leads/archived", "archived_since", V1_ARCHIVED_LEADS_COST),
)
SWEEP_EVERY = timedelta(hours=24)
"""Leads are few, and their conversion shows nowhere but in their absence."""


async def read_leads(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Leads that changed, then, once a day, what became of those that vanished."""
    cursor = {} if request.full else dict(request.cursor or {})
    is_first = not cursor and not request.full
    for path, key, cost in LISTS:
        known = cursor_instant(cursor, key, request.now)
        since = None if known is None else known - LOOKBACK
        async for page in _walk(session, path, since, cost=cost):
            if page.reached is not None and (known is None or page.reached > known):
                known = page.reached
                cursor[key] = instant_text(known)
            yield Page(page.records, dict(cursor), rejected=page.rejected)
    swept_at = cursor_instant(cursor, "swept_at", request.now)
    if is_first:
        # The walk has just seen all of them, and nothing could be missing.
        yield Page(cursor={**cursor, "swept_at": instant_text(request.now)})
    elif request.full or swept_at is None or request.now - swept_at >= SWEEP_EVERY:
        async for swept in _sweep(session, request, swept_at):
            yield swept
        cursor["swept_at"] = instant_text(request.now)
        yield Page(cursor=cursor)


@dataclass(frozen=True, slots=True)
class _Walked:
    records: list[Record]
    rejected: list[Rejected]
    reached: datetime | None


async def _walk(
    session: Session, path: str, since: datetime | None, *, cost: int
) -> AsyncIterator[_Walked]:
    start: int | None = 0
    while start is not None:
        params = {"sort": "update_time ASC"}
        if since is not None:
            params["updated_since"] = second_text(since)
        listed = await session.offset_page(path, params, start, cost=cost)
        batch = collect(listed.rows, listed.observed_at)
        yield _Walked(batch.records, batch.rejected, batch.reached)
        start = listed.next_start
        times = [one.source_updated_at for one in batch.records if one.source_updated_at]
        # A server that leaves the bound out of account would show the first page for ever.
        is_bounded = since is None or not times or min(times) >= since.replace(microsecond=0)
        newest = batch.reached.replace(microsecond=0) if batch.reached else None
        if start is not None and is_bounded and newest and (since is None or newest > since):
            since, start = newest, 0


async def _sweep(
    session: Session, request: ReadRequest, swept_at: datetime | None
) -> AsyncIterator[Page]:
    """Compare all ids; a missing lead was converted, closed to us, or deleted."""
    known = set(await asyncio.to_thread(request.listed_ids))
    if not known:
        return
    seen: set[str] = set()
    for path, _, cost in LISTS:
        async for page in session.offset_pages(path, {"sort": "id ASC"}, cost=cost):
            batch = collect(page.rows, page.observed_at)
            seen |= {record.record_id for record in batch.records}
            yield Page(batch.records, rejected=batch.rejected)
    missing = sorted(known - seen)
    converted = await _converted(session, swept_at) if missing else {}
    for record_id in missing[:MOST_ASKED_SINGLY]:
        response = await session.get(
            f"/v1/leads/{record_id}", cost=V1_ONE_COST, ok=frozenset({200, 404, 410})
        )
        data = b"null" if response.status != 200 else bytes(response.decode(Envelope).data)
        if data != b"null":
            seen.add(record_id)
            yield Page([judged(record_id, data, response.observed_at)])
        elif record_id in converted:
            seen.add(record_id)
            text = msgspec.json.encode({"deal_id": converted[record_id]})
            yield Page([Record(record_id, text, response.observed_at, "converted")])
    yield Page(complete_ids=sorted({*seen, *missing[MOST_ASKED_SINGLY:]}))


async def _converted(session: Session, since: datetime | None) -> dict[str, str]:
    """Lead to deal, of the deals that changed since the last comparison."""
    found: dict[str, str] = {}
    bound = None if since is None else since - LOOKBACK
    async for page in session.pages(DEALS.path, walk_params(DEALS, bound), cost=V2_LIST_COST):
        for head in collect(page.rows, page.response.observed_at).heads:
            if head.source_lead_id:
                found[head.source_lead_id] = str(head.id)
    return found
