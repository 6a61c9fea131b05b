"""Reading one CRM object type: everything once, then what changed, then what went.

Each run walks from ``since`` to the newest change that search shows, so that records are
fresh; but ``since`` itself moves up to one hour before the present only, because search
learns of changes late. What it shows late lies inside that hour, and is met again.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.base.errors import PaginationLoop
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.base.window import instant_text
from connectors.hubspot.ahead import asked_ahead
from connectors.hubspot.changes import changed_since
from connectors.hubspot.cursor import Cursor
from connectors.hubspot.objects import ObjectType
from connectors.hubspot.records import (
    Batch,
    Shown,
    Tie,
    collect,
    epoch_ms,
    from_epoch_ms,
    inline_ids,
    instant,
    linked_payload,
    read_heads,
)
from connectors.hubspot.session import ListPage, Session

INDEX_LAG = timedelta(hours=1)
"""Search is taken as complete for what is older; slower indexing was not reported."""
FETCHES_AT_ONCE = 4
ASSOCIATION_BATCH = 500


class Reader:
    """Reads one object type of one account in one run."""

    def __init__(self, session: Session, kind: ObjectType, request: ReadRequest) -> None:
        self._session = session
        self._kind = kind
        self._request = request
        self._targets = session.targets(kind)

    async def pages(self) -> AsyncIterator[Page]:
        """Everything if it must be, else changes, archivings and what vanished."""
        names = await self._session.property_names(self._kind)
        choice = self._choice()
        cursor = Cursor.load(self._request.cursor, choice)
        if self._request.full or cursor.choice != choice:
            cursor = Cursor(choice)
        started = await self._session.server_now(self._request.now)
        if cursor.listing is None and self._is_due(cursor.listed_at, self._relist_every, started):
            cursor.listing = {"archived": False, "after": None, "from": instant_text(started)}
        if cursor.listing is not None:
            async for page in self._everything(cursor, names):
                yield page
        async for page in self._changes(cursor, names, started):
            yield page
        async for page in self._archived(cursor, names, started):
            yield page
        async for page in self._upkeep(cursor, names, started):
            yield page

    def _choice(self) -> str:
        """A name for what is asked of each record; another choice needs another reading.

        Discovered properties are not part of it: a new one has no value on any record
        until somebody sets it, and that is a change of the record.
        """
        asked = (
            *self._session.configured_properties(self._kind),
            "|",
            *self._kind.history,
            "|",
            *self._targets,
        )
        return hashlib.sha256(",".join(asked).encode()).hexdigest()[:16]

    @staticmethod
    def _is_due(last: datetime | None, every: timedelta, now: datetime) -> bool:
        return last is None or (every > timedelta(0) and now - last >= every)

    @property
    def _relist_every(self) -> timedelta:
        """Sooner where the record carries its associations, which change without a mark."""
        settings = self._session.settings
        days = [settings.relist_days]
        if self._kind.inline and self._targets:
            days.append(settings.association_days)
        return timedelta(days=min((one for one in days if one), default=0))

    # Everything.

    async def _everything(self, cursor: Cursor, names: Sequence[str]) -> AsyncIterator[Page]:
        listing = cursor.listing
        if listing is None:
            return
        # Only a listing that ran in one go has seen all ids; a first load has none to miss.
        in_one_go = listing["after"] is None and not listing["archived"]
        is_first = self._request.cursor is None and not self._request.full
        ids: list[str] | None = [] if in_one_go and not is_first else None
        begun = instant(listing["from"]) or self._request.now
        for archived in (False, True):
            if listing["archived"] and not archived:
                continue
            after = listing["after"] if listing["archived"] == archived else None
            async for page in self._list(names, archived=archived, after=after):
                shown, rejected = read_heads(
                    page.listing.results, page.observed_at, is_listed=not page.is_bare
                )
                if page.is_bare:
                    shown, lost = await self._fetch(
                        [one.head.id for one in shown], names, archived=archived
                    )
                    rejected += lost
                batch = await self._with_ties(shown)
                if ids is not None:
                    ids += [one.head.id for one in shown]
                if page.listing.after is None:
                    last = archived
                    listing = {**listing, "archived": True, "after": None}
                else:
                    last = False
                    listing = {**listing, "archived": archived, "after": page.listing.after}
                cursor.listing = None if last else listing
                if last:
                    settled = begun - INDEX_LAG
                    cursor.since = settled
                    cursor.archived_since = settled
                    cursor.listed_at = cursor.associations_at = begun
                    if is_first:
                        cursor.swept_at = begun
                yield self._page(batch, cursor, rejected=rejected)
        if ids is not None:
            yield Page(complete_ids=ids)
            cursor.swept_at = begun
            yield Page(cursor=cursor.dump())

    async def _list(
        self, names: Sequence[str], *, archived: bool, after: str | None, bare: bool = False
    ) -> AsyncIterator[ListPage]:
        """Pages of the list, each asked for while the one before is being landed."""
        passed = {after}
        async with asked_ahead(
            self._session.list_page(self._kind, names, archived, after, bare)
        ) as ask:
            while True:
                page = await ask.result()
                follower = page.listing.after
                if follower is None:
                    yield page
                    return
                if follower in passed or not page.listing.results:
                    raise PaginationLoop(
                        f"the list of {self._kind.name} does not move on from {follower!r}"
                    )
                passed.add(follower)
                ask.go(self._session.list_page(self._kind, names, archived, follower, bare))
                yield page

    # What changed.

    async def _changes(
        self, cursor: Cursor, names: Sequence[str], started: datetime
    ) -> AsyncIterator[Page]:
        settled = started - INDEX_LAG
        since = min(cursor.since or settled, settled)

        async def ask(body: Mapping[str, Any]) -> bytes:
            return (await self._session.search(self._kind, body)).body

        async for found in changed_since(self._kind, epoch_ms(since), ask):
            shown, rejected = await self._fetch(found.ids, names, archived=False)
            batch = await self._with_ties(shown)
            reached = min(from_epoch_ms(found.complete_ms), settled)
            cursor.since = max(since, reached)
            yield self._page(batch, cursor, rejected=rejected)
        cursor.since = max(since, settled)
        yield Page(cursor=cursor.dump())

    async def _fetch(
        self, ids: Sequence[str], names: Sequence[str], *, archived: bool
    ) -> tuple[list[Shown], list[Rejected]]:
        """The records of some ids as they are now, in the order of the ids."""
        shown: dict[str, Shown] = {}
        rejected: list[Rejected] = []
        size = self._session.batch_size(self._kind)
        for some in _parts(ids, size * FETCHES_AT_ONCE):
            answers = await asyncio.gather(
                *(
                    self._session.batch_read(self._kind, part, names, archived=archived)
                    for part in _parts(some, size)
                )
            )
            for answer in answers:
                heads, lost = read_heads(answer.rows, answer.observed_at)
                shown |= {one.head.id: one for one in heads}
                rejected += lost
        return [shown[one] for one in ids if one in shown], rejected

    # What went.

    async def _archived(
        self, cursor: Cursor, names: Sequence[str], started: datetime
    ) -> AsyncIterator[Page]:
        """Records archived since the last look, and those that left the archive again.

        The list cannot be filtered by time, but ids are cheap. Neither archiving nor
        restoring is sure to mark a record as changed.
        """
        settled = started - INDEX_LAG
        since = min(cursor.archived_since or settled, settled)
        listed: set[str] = set()
        async for page in self._list(names, archived=True, after=None, bare=True):
            shown, rejected = read_heads(page.listing.results, page.observed_at)
            listed |= {one.head.id for one in shown}
            fresh = [
                one.head.id for one in shown if (instant(one.head.archivedAt) or started) >= since
            ]
            found, lost = await self._fetch(fresh, names, archived=True)
            if found or rejected or lost:
                batch = collect(self._kind, found, {}, self._targets)
                yield self._page(batch, None, rejected=[*rejected, *lost])
        known = await asyncio.to_thread(self._request.archived_ids)
        left = [one for one in known if one not in listed]
        for some in _parts(left, ASSOCIATION_BATCH):
            # Most of them aged out of the archive and are not found.
            restored, lost = await self._fetch(some, names, archived=False)
            yield self._page(await self._with_ties(restored), None, rejected=lost)
        cursor.archived_since = settled
        yield Page(cursor=cursor.dump())

    # What no change tells of.

    async def _upkeep(
        self, cursor: Cursor, names: Sequence[str], started: datetime
    ) -> AsyncIterator[Page]:
        settings = self._session.settings
        sweep_every = timedelta(hours=settings.sweep_hours)
        if self._is_due(cursor.swept_at, sweep_every, started):
            async for page in self._sweep(names):
                yield page
            cursor.swept_at = started
            yield Page(cursor=cursor.dump())
        reread_every = timedelta(days=settings.association_days)
        if self._kind.linked and self._is_due(cursor.associations_at, reread_every, started):
            live = set(await asyncio.to_thread(self._request.live_ids))
            live -= set(await asyncio.to_thread(self._request.archived_ids))
            async for page in self._all_ties(sorted(live)):
                yield page
            cursor.associations_at = started
            yield Page(cursor=cursor.dump())

    async def _sweep(self, names: Sequence[str]) -> AsyncIterator[Page]:
        """Compare all ids: land what we lack, hand over what there is.

        What we lack was restored from the archive, or was indexed later than an hour.
        """
        held: list[str] = []
        gone: list[str] = []
        for archived, ids in ((False, held), (True, gone)):
            async for page in self._list(names, archived=archived, after=None, bare=True):
                shown, _ = read_heads(page.listing.results, page.observed_at)
                ids += [one.head.id for one in shown]
        known = await asyncio.to_thread(self._request.live_ids)
        lacking = sorted(set(held) - set(known) - set(gone))
        for some in _parts(lacking, ASSOCIATION_BATCH):
            found, rejected = await self._fetch(some, names, archived=False)
            yield self._page(await self._with_ties(found), None, rejected=rejected)
        # Archived ids count as seen: the archive tells of them with more truth than a gap.
        yield Page(complete_ids=[*held, *gone])

    # Associations.

    async def _with_ties(self, shown: Sequence[Shown]) -> Batch:
        """Make records, reading the associations that the answers did not carry whole."""
        live = [one for one in shown if not one.head.archived]
        ties: dict[str, Mapping[str, Sequence[Tie]]] = {}
        for target in self._targets:
            lacking = [one.head.id for one in live if not self._carries(one, target)]
            if lacking:
                ties[target] = await self._read_ties(target, lacking)
        return collect(self._kind, shown, ties, self._targets)

    def _carries(self, shown: Shown, target: str) -> bool:
        """Whether a list answer held all ids of a target; batch answers hold none."""
        if self._kind.linked:
            return False  # labels are told by the association endpoint alone
        return shown.is_listed and inline_ids(shown, target)[1]

    async def _read_ties(self, target: str, ids: Sequence[str]) -> dict[str, list[Tie]]:
        found: dict[str, list[Tie]] = {}
        for part in _parts(ids, ASSOCIATION_BATCH):
            found |= await self._session.ties(self._kind, target, part)
        return found

    async def _all_ties(self, ids: Sequence[str]) -> AsyncIterator[Page]:
        """The associations of every deal: taking a contact off a deal does not mark the deal."""
        for part in _parts(ids, ASSOCIATION_BATCH):
            observed_at = self._request.now
            ties: dict[str, Mapping[str, Sequence[Tie]]] = {}
            for target in self._targets:
                ties[target], observed_at = await self._session.ties_at(self._kind, target, part)
            children = [
                Record(one, linked_payload(one, ties, self._targets), observed_at) for one in part
            ]
            yield Page(children={self._child: children})

    @property
    def _child(self) -> str:
        return "deal_associations"

    def _page(self, batch: Batch, cursor: Cursor | None, *, rejected: Sequence[Rejected]) -> Page:
        children = {self._child: batch.children} if self._kind.linked else {}
        return Page(
            records=batch.records,
            cursor=None if cursor is None else cursor.dump(),
            children=children,
            rejected=[*batch.rejected, *rejected],
        )


def _parts(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
