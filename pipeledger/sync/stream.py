"""One stream's sync: batches, checkpoints, deletes."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from connectors.base.errors import CursorExpired
from connectors.base.stream import Cursor, Page, ReadRequest, Record, Stream
from pipeledger.clock import Clock
from pipeledger.crash import crash_point
from pipeledger.landing import AppendReport, Checkpoint, Landing, Writer
from pipeledger.landing.checkpoints import State
from pipeledger.sync.ahead import read_ahead
from pipeledger.sync.batch import BATCH_RECORDS, Batch
from pipeledger.sync.checkpoints import Checkpoints
from pipeledger.sync.interrupt import in_thread
from pipeledger.sync.report import DeletesRefusedError, StreamReport, TooManyRejectedError

_log = structlog.get_logger(__name__)

GUARD_SHARE = 0.2
GUARD_COUNT = 20
QUARANTINE_SHARE = 0.05
QUARANTINE_COUNT = 20


@dataclass(frozen=True, slots=True)
class Scope:
    """What every stream of one sync shares."""

    source: str
    connection: str
    landing: Landing
    checkpoints: Checkpoints
    clock: Clock
    sync_id: str
    full: bool
    allow_deletes: bool


class StreamSync:
    """Reads one stream to its end and lands it."""

    def __init__(
        self,
        scope: Scope,
        stream: Stream,
        *,
        last: Checkpoint | None,
        writer: Writer,
        children: Mapping[str, Writer],
        report: StreamReport,
        show: Callable[[StreamReport], None],
    ) -> None:
        self._scope = scope
        self._stream = stream
        self._writer = writer
        self._children = children
        self._report = report
        self._show = show
        self._batch = Batch()
        self._sequence = 0
        self._started = time.monotonic()
        self._started_at = scope.clock()
        self._last = last
        self._cursor: Cursor | None = last.cursor if last else None
        self._swept_at: datetime | None = last.swept_at if last else None
        self._shown: set[str] | None = None

    async def read(self, session: Any) -> None:
        """Read to the end and land everything; what was read before a fault lands too."""
        if self._stream.read is None:
            return
        request = ReadRequest(
            self._stream,
            self._scope.connection,
            self._scope.clock(),
            None if self._scope.full else self._cursor,
            self._scope.full,
            self._writer.live_ids,
            self._writer.archived_ids,
            self._writer.listed_ids,
        )
        try:
            await self._read_pages(session, request)
        except CursorExpired as error:
            if request.cursor is None:
                raise
            _log.warning("cursor_expired", stream=self._stream.name, reason=str(error))
            request = replace(request, cursor=None, full=True)
            await self._read_pages(session, request)
        if self._shown is not None:
            await self._delete_missing(self._shown, self._writer.listed_ids)
        if self._stream.list_ids is not None:
            await self._sweep(session, request)

    async def _read_pages(self, session: Any, request: ReadRequest) -> None:
        if self._stream.read is None:
            return
        self._shown = set() if self._stream.snapshot else None
        try:
            async with aclosing(read_ahead(self._stream.read(session, request))) as pages:
                async for page in pages:
                    await self._take(page)
        finally:
            # Whole pages that came before a fault, or before a cancel, are not asked for again.
            # Their checkpoint is the stream's last one: another just before it says no more.
            await self._land_batch()
            self._progress()

    async def _take(self, page: Page) -> None:
        crash_point("after-fetch")
        report = self._report
        report.seen += len(page.records)
        report.total = page.total if page.total is not None else report.total
        report.note = page.note or report.note
        self._batch.add(page)
        if self._shown is not None:
            self._shown.update(one.record_id for one in page.records if one.change != "deleted")
        if page.rejected:
            await in_thread(
                self._scope.landing.quarantine,
                self._scope.source,
                self._stream.name,
                self._scope.connection,
                page.rejected,
                sync_id=self._scope.sync_id,
                observed_at=self._scope.clock(),
            )
            report.quarantined += len(page.rejected)
        if page.complete_ids is not None:
            self._shown = None  # the reader has said it itself
            await self._take_complete_ids(page.complete_ids)
        elif self._batch.is_full:
            await self._flush()
        limit = max(QUARANTINE_COUNT, QUARANTINE_SHARE * (report.seen + len(page.rejected)))
        if report.quarantined > limit:
            raise TooManyRejectedError(
                f"{report.quarantined} records went to quarantine beside {report.seen} good ones; "
                "`pipeledger status` shows the reasons. What was good has landed."
            )
        self._progress()

    async def _take_complete_ids(self, ids: Sequence[str]) -> None:
        """Land the deletes before the cursor that covers them.

        Refused, the cursor stays behind too: else the reader would take the listing for
        done and never show it again.
        """
        cursor, self._batch.cursor = self._batch.cursor, None
        await self._land_batch()
        await self._delete_missing(set(ids), self._writer.live_ids)
        self._batch.cursor = cursor
        await self._flush()

    async def _flush(self) -> None:
        """Land the batch, then its checkpoint."""
        if not self._batch.count and self._batch.cursor is None:
            return
        await self._land_batch()
        await in_thread(self.checkpoint, "running")
        self._progress()

    async def _land_batch(self) -> None:
        """Commit the batch's records; only then does its cursor count."""
        batch, self._batch = self._batch, Batch()
        try:
            if batch.count:
                await in_thread(self._append, batch.records, batch.children)
        except asyncio.CancelledError:
            self._move_to(batch.cursor)  # it has landed: see in_thread
            raise
        self._move_to(batch.cursor)

    def _move_to(self, cursor: Cursor | None) -> None:
        if cursor is not None:
            self._cursor = cursor

    def _append(self, records: list[Record], children: Mapping[str, list[Record]]) -> None:
        for name, fed in children.items():
            self._count(self._children[name].append(fed))
        if children:
            crash_point("after-child-commit")
        if records:
            self._count(self._writer.append(records))
        crash_point("after-data-commit")

    def _count(self, done: AppendReport) -> None:
        self._report.appended += done.appended
        self._report.late += done.late
        self._report.quarantined += done.quarantined
        self._report.replaced_text += done.replaced_text
        self._report.expired += done.expired

    async def _sweep(self, session: Any, request: ReadRequest) -> None:
        """List the ids that the vendor shows, when it is time, and land the missing as deleted."""
        now = self._scope.clock()
        due = self._swept_at is None or now - self._swept_at >= self._stream.sweep_every
        is_first_load = self._last is None or self._last.cursor is None
        if self._stream.list_ids is None:
            return
        if not self._scope.full and (not due or (is_first_load and self._swept_at is None)):
            # A first load has just seen everything.
            self._swept_at = self._swept_at or now
            return
        shown: set[str] = set()
        async with aclosing(read_ahead(self._stream.list_ids(session, request))) as listed:
            async for ids in listed:
                shown.update(ids)
        await self._delete_missing(shown, self._writer.listed_ids)
        self._swept_at = now

    async def _delete_missing(self, shown: set[str], known: Callable[[], list[str]]) -> None:
        shown = self._writer.landed_ids(shown)
        live = await in_thread(known)
        missing = [record_id for record_id in live if record_id not in shown]
        many = len(missing) > GUARD_COUNT and len(missing) > GUARD_SHARE * len(live)
        if missing and (many or len(missing) == len(live)) and not self._scope.allow_deletes:
            raise DeletesRefusedError(
                f"{len(missing)} of {len(live)} known records are missing from the listing. "
                "Nothing was deleted. If that is right, run the sync with --allow-deletes."
            )
        now = self._scope.clock()
        for start in range(0, len(missing), BATCH_RECORDS):
            gone = [
                Record(record_id, None, now, "deleted")
                for record_id in missing[start : start + BATCH_RECORDS]
            ]
            self._count(await in_thread(self._writer.append, gone))
            self._report.deleted += len(gone)
        if missing:
            crash_point("after-deletes")

    def _progress(self) -> None:
        self._report.seconds = time.monotonic() - self._started
        self._show(self._report)

    def checkpoint(self, state: State, error: str | None = None) -> None:
        """Append the stream's checkpoint, and at the end those of the streams it feeds."""
        scope, report = self._scope, self._report
        self._sequence += 1
        row = Checkpoint(
            scope.source,
            scope.connection,
            self._stream.name,
            scope.sync_id,
            self._cursor,
            state,
            report.seen,
            report.appended,
            report.requests,
            report.bytes,
            self._started_at,
            scope.clock(),
            self._sequence,
            self._swept_at,
            error,
            report.quarantined,
            report.total,
        )
        fed: Iterable[str] = self._children if state != "running" else ()
        none = replace(row, cursor=None, seen=0, appended=0, quarantined=0, vendor_total=None)
        rows = (row, *(replace(none, stream=name) for name in fed))
        if state != "running" and self._found_nothing:
            scope.checkpoints.keep(*rows)
        else:
            scope.checkpoints.commit(*rows)
        crash_point("after-checkpoint")

    @property
    def _found_nothing(self) -> bool:
        """Whether less than a batch was read, nothing landed of it, and no ids were listed."""
        report = self._report
        swept_at = self._last.swept_at if self._last else None
        is_short = self._sequence == 1 and self._swept_at == swept_at
        return is_short and not report.appended and not report.quarantined
