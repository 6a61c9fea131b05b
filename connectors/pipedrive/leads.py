"""The lead inbox and its archive, which v1 alone lists.

v1 pages by offset, which shifts when leads change under way. So the walk by update_time
asks anew from the last page's newest second, and uses an offset only while one second
fills whole pages. The archive knows no `updated_since`: it is read newest first, down to
what was read before; what slips away meanwhile is found by the daily comparison.
Converted leads vanish: the deals say from which lead they came.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime, timedelta

import msgspec

from connectors.base.errors import AccessDenied
from connectors.base.stream import Page, ReadRequest, Record
from connectors.base.window import cursor_instant, instant_text
from connectors.pipedrive.kinds import (
    DEALS,
    V1_ARCHIVED_LEADS_COST,
    V1_LIST_COST,
    V1_ONE_COST,
)
from connectors.pipedrive.reading import LOOKBACK, MOST_ASKED_SINGLY, walk_params
from connectors.pipedrive.records import Batch, collect, judged
from connectors.pipedrive.session import Session, second_text

LEADS = "/v1/leads"
ARCHIVE = "/v1/leads/archived"
SWEEP_EVERY = timedelta(hours=24)
"""Leads are few, and their conversion shows nowhere but in their absence."""


async def read_leads(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Leads that changed, then, once a day, what became of those that vanished."""
    cursor = {} if request.full else dict(request.cursor or {})
    is_first = not cursor and not request.full
    known = cursor_instant(cursor, "since", request.now)
    async for batch in _changed(session, None if known is None else known - LOOKBACK):
        known = _later(known, batch)
        if known is not None:
            cursor["since"] = instant_text(known)
        yield Page(batch.records, dict(cursor), rejected=batch.rejected)
    known = cursor_instant(cursor, "archived_since", request.now)
    reached = known
    async for batch in _archived(session, None if known is None else known - LOOKBACK):
        reached = _later(reached, batch)
        yield Page(batch.records, rejected=batch.rejected)
    if reached is not None:
        # Newest first: only the whole walk is a resume point.
        cursor["archived_since"] = instant_text(reached)
        yield Page(cursor=dict(cursor))
    swept_at = cursor_instant(cursor, "swept_at", request.now)
    if is_first:
        # The walk has just seen all of them, and nothing could be missing.
        yield Page(cursor={**cursor, "swept_at": instant_text(request.now)})
    elif request.full or swept_at is None or request.now - swept_at >= SWEEP_EVERY:
        async for swept in _sweep(session, request, swept_at):
            yield swept
        cursor["swept_at"] = instant_text(request.now)
        yield Page(cursor=cursor)


def _later(known: datetime | None, batch: Batch) -> datetime | None:
    if known is None or batch.reached is None:
        return known or batch.reached
    return max(known, batch.reached)


async def _changed(session: Session, since: datetime | None) -> AsyncIterator[Batch]:
    """Leads by update_time ascending, from an inclusive bound that follows the pages.

    Where one second fills several pages, offsets are needed: a lead that is edited meanwhile
    lets another one slip from a later page to an earlier one. So that second is read twice.
    """
    twice: datetime | None = None
    while True:
        params = {"sort": "update_time ASC"}
        if since is not None:
            params["updated_since"] = second_text(since)
        bound, count = since, 0
        async with aclosing(session.offset_pages(LEADS, params, cost=V1_LIST_COST)) as pages:
            async for listed in pages:
                batch = collect(listed.rows, listed.observed_at)
                yield batch
                count += 1
                # A server that leaves the bound out of account would show its first page for ever.
                is_kept = bound is None or _oldest(batch, bound) >= bound.replace(microsecond=0)
                newest = batch.reached.replace(microsecond=0) if batch.reached else None
                if not listed.is_last and is_kept and newest and (bound is None or newest > bound):
                    since = newest
                    break
        if count > 1 and twice != bound:
            since = twice = bound
        elif since == bound:
            return


async def _archived(session: Session, since: datetime | None) -> AsyncIterator[Batch]:
    """Archived leads, newest first, down to the bound."""
    params = {"sort": "update_time DESC"}
    pages = session.offset_pages(ARCHIVE, params, cost=V1_ARCHIVED_LEADS_COST)
    async with aclosing(pages):
        async for listed in pages:
            batch = collect(listed.rows, listed.observed_at)
            yield batch
            if since is not None and _oldest(batch, since) < since:
                return


def _oldest(batch: Batch, otherwise: datetime) -> datetime:
    times = (one.source_updated_at for one in batch.records)
    return min((one for one in times if one is not None), default=otherwise)


async def _sweep(
    session: Session, request: ReadRequest, swept_at: datetime | None
) -> AsyncIterator[Page]:
    """Compare all ids; a missing lead was converted, closed to us, or deleted."""
    known = set(await asyncio.to_thread(request.listed_ids))
    if not known:
        return
    seen: set[str] = set()
    for path, cost in ((LEADS, V1_LIST_COST), (ARCHIVE, V1_ARCHIVED_LEADS_COST)):
        async for page in session.offset_pages(path, {"sort": "id ASC"}, cost=cost):
            batch = collect(page.rows, page.observed_at)
            seen |= {record.record_id for record in batch.records}
            yield Page(batch.records, rejected=batch.rejected)
    missing = known - seen
    converted = await _converted(session, swept_at) if missing else {}
    for record_id in sorted(missing & converted.keys()):
        seen.add(record_id)
        text = msgspec.json.encode({"deal_id": converted[record_id]})
        yield Page([Record(record_id, text, request.now, "converted")])
    unclear = sorted(missing - converted.keys())
    for record_id in unclear[:MOST_ASKED_SINGLY]:
        record = await _fate(session, request, record_id)
        if record is not None:
            seen.add(record_id)
            yield Page([record])
    left = unclear[MOST_ASKED_SINGLY:]
    note = f"{len(left)} more leads are missing; the next comparison asks" if left else None
    yield Page(complete_ids=sorted({*seen, *left}), note=note)


async def _fate(session: Session, request: ReadRequest, record_id: str) -> Record | None:
    """What a missing lead answers; None where it is gone."""
    try:
        data, observed_at = await session.one(f"{LEADS}/{record_id}", cost=V1_ONE_COST)
    except AccessDenied as fault:
        if fault.whole_source:
            raise
        return Record(record_id, None, request.now, "access_lost")
    return None if data is None else judged(record_id, data, observed_at)


async def _converted(session: Session, since: datetime | None) -> dict[str, str]:
    """Lead to deal, of the deals that changed since the last comparison."""
    found: dict[str, str] = {}
    bound = None if since is None else since - LOOKBACK
    for path, cost in DEALS.lists:
        async for page in session.pages(path, walk_params(DEALS, bound), cost=cost):
            for head in collect(page.rows, page.response.observed_at).heads:
                if head.source_lead_id:
                    found[head.source_lead_id] = str(head.id)
    return found
