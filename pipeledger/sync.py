"""Sync: read what is new from one connection and land it, batch by batch.

Data first, then the checkpoint: a crash between the two repeats one batch, and landing
drops what it has. One failing stream never stops the others.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from connectors.base.errors import BudgetSpent, PipeledgerError, SourceError
from connectors.base.redact import redact
from connectors.base.stream import Connector, Cursor, Page, ReadRequest, Record, Resources, Stream
from pipeledger.clock import Clock, new_sync_id
from pipeledger.crash import crash_point
from pipeledger.landing import Checkpoint, Landing, Writer
from pipeledger.landing.checkpoints import State
from pipeledger.locks import exclusive

_log = structlog.get_logger(__name__)

BATCH_RECORDS = 20_000
BATCH_BYTES = 64 * 1024**2
BATCH_SECONDS = 30.0
STREAMS_AT_ONCE = 4
GUARD_SHARE = 0.2
GUARD_COUNT = 20
QUARANTINE_SHARE = 0.05
QUARANTINE_COUNT = 20


class DeletesRefusedError(SourceError):
    """A listing that lacks too many known records: more likely a fault than a clean-up."""


class TooManyRejectedError(SourceError):
    """So many records went to quarantine that the stream as a whole is suspect."""


@dataclass(slots=True)
class StreamReport:
    """What a sync did with one stream.

    ``seen`` counts records shown, ``appended`` new versions, ``deleted`` tombstones among
    them; ``requests`` and ``bytes`` are those of the whole connection during the stream.
    """

    source: str
    connection: str
    stream: str
    state: State = "running"
    seen: int = 0
    appended: int = 0
    deleted: int = 0
    quarantined: int = 0
    requests: int = 0
    bytes: int = 0
    seconds: float = 0.0
    total: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SyncReport:
    """The streams of one connection after a sync."""

    source: str
    connection: str
    sync_id: str
    streams: tuple[StreamReport, ...]

    @property
    def is_complete(self) -> bool:
        """Did every stream reach its end?"""
        return all(report.state == "complete" for report in self.streams)


@dataclass(slots=True)
class _Batch:
    """Records read but not landed yet, and the cursor that covers them."""

    records: list[Record] = field(default_factory=list)
    children: dict[str, list[Record]] = field(default_factory=dict)
    cursor: Cursor | None = None
    size: int = 0
    since: float = field(default_factory=time.monotonic)

    def add(self, page: Page) -> None:
        self.records += page.records
        for name, records in page.children.items():
            self.children.setdefault(name, []).extend(records)
        every = [*page.records, *(r for records in page.children.values() for r in records)]
        self.size += sum(len(record.payload or b"") for record in every)
        if page.cursor is not None:
            self.cursor = page.cursor

    @property
    def count(self) -> int:
        return len(self.records) + sum(map(len, self.children.values()))

    @property
    def is_full(self) -> bool:
        old = time.monotonic() - self.since > BATCH_SECONDS
        return self.count >= BATCH_RECORDS or self.size >= BATCH_BYTES or old


class _StreamSync:
    """One stream's sync: batches, checkpoints, deletes."""

    def __init__(
        self,
        run: "_Run",
        stream: Stream,
        writer: Writer,
        children: dict[str, Writer],
        report: StreamReport,
    ) -> None:
        self._run = run
        self._stream = stream
        self._writer = writer
        self._children = children
        self._report = report
        self._batch = _Batch()
        self._sequence = 0
        self._started_at = run.clock()
        last = run.landing.last_checkpoint(run.connector.source, stream.name, run.connection)
        self._last = last
        self._cursor: Cursor | None = last.cursor if last else None
        self._swept_at: datetime | None = last.swept_at if last else None

    async def read(self, session: Any) -> None:
        """Read to the end and land everything; what was read before a fault lands too."""
        read = self._stream.read
        if read is None:
            return
        request = ReadRequest(
            self._stream,
            self._run.connection,
            self._run.clock(),
            None if self._run.full else self._cursor,
            self._run.full,
            self._writer.live_ids,
            self._writer.archived_ids,
        )
        try:
            async for page in read(session, request):
                await self._take(page)
        finally:
            # Whole pages that came before a fault, or before a cancel, are not asked for again.
            await self._flush()
        if self._stream.list_ids is not None:
            await self._sweep(session, request)

    async def _take(self, page: Page) -> None:
        crash_point("after-fetch")
        report = self._report
        report.seen += len(page.records)
        report.total = page.total if page.total is not None else report.total
        self._batch.add(page)
        if page.rejected:
            source, connection = self._run.connector.source, self._run.connection
            await asyncio.to_thread(
                self._run.landing.quarantine,
                source,
                self._stream.name,
                connection,
                page.rejected,
                sync_id=self._run.sync_id,
                observed_at=self._run.clock(),
            )
            report.quarantined += len(page.rejected)
        if page.complete_ids is not None:
            await self._flush()
            await self._delete_missing(set(page.complete_ids))
        elif self._batch.is_full:
            await self._flush()
        limit = max(QUARANTINE_COUNT, QUARANTINE_SHARE * report.seen)
        if report.quarantined > limit:
            raise TooManyRejectedError(
                f"{report.quarantined} of {report.seen} records went to quarantine; "
                "`pipeledger status` shows the reasons"
            )
        self._run.show(report)

    async def _flush(self) -> None:
        """Land the batch, children first, then its checkpoint."""
        batch, self._batch = self._batch, _Batch()
        if batch.count:
            await asyncio.to_thread(self._land, batch)
        if batch.cursor is not None:
            self._cursor = batch.cursor
        if batch.count or batch.cursor is not None:
            await asyncio.to_thread(self.checkpoint, "running")
        self._run.show(self._report)

    def _land(self, batch: _Batch) -> None:
        for name, records in batch.children.items():
            done = self._children[name].append(records)
            self._report.appended += done.appended
            self._report.quarantined += done.quarantined
        if batch.records:
            done = self._writer.append(batch.records)
            self._report.appended += done.appended
            self._report.quarantined += done.quarantined
        crash_point("after-data")

    async def _sweep(self, session: Any, request: ReadRequest) -> None:
        """List the ids that the vendor shows, when it is time, and land the missing as deleted."""
        now = self._run.clock()
        first = self._last is None
        due = self._swept_at is None or now - self._swept_at >= self._stream.sweep_every
        if first or self._stream.list_ids is None or not (due or self._run.full):
            # A first load has just seen everything.
            self._swept_at = self._swept_at or now
            return
        shown: set[str] = set()
        async for ids in self._stream.list_ids(session, request):
            shown.update(ids)
        await self._delete_missing(shown)
        self._swept_at = now

    async def _delete_missing(self, shown: set[str]) -> None:
        live = await asyncio.to_thread(self._writer.live_ids)
        missing = [record_id for record_id in live if record_id not in shown]
        share = len(missing) > GUARD_COUNT and len(missing) > GUARD_SHARE * len(live)
        everything = len(live) > 1 and len(missing) == len(live)
        if (share or everything) and not self._run.allow_deletes:
            raise DeletesRefusedError(
                f"{len(missing)} of {len(live)} known records are missing from the listing. "
                "Nothing was deleted. If that is right, run the sync with --allow-deletes."
            )
        now = self._run.clock()
        batch = _Batch(records=[Record(record_id, None, now, "deleted") for record_id in missing])
        self._report.deleted += len(missing)
        if missing:
            await asyncio.to_thread(self._land, batch)

    def checkpoint(self, state: State, error: str | None = None) -> None:
        """Append the stream's checkpoint, and at the end those of the streams it feeds."""
        run, report = self._run, self._report
        self._sequence += 1
        row = Checkpoint(
            run.connector.source,
            run.connection,
            self._stream.name,
            run.sync_id,
            self._cursor,
            state,
            report.seen,
            report.appended,
            report.requests,
            report.bytes,
            self._started_at,
            run.clock(),
            self._sequence,
            self._swept_at,
            error,
        )
        run.landing.checkpoint(row)
        crash_point("after-checkpoint")
        if state != "running":
            for name in self._children:
                child = replace(row, stream=name, cursor=None, seen=0, appended=0)
                run.landing.checkpoint(child)


@dataclass(slots=True)
class _Run:
    """What every stream of one sync shares."""

    connector: Connector
    connection: str
    landing: Landing
    clock: Clock
    sync_id: str
    full: bool
    allow_deletes: bool
    progress: Callable[[StreamReport], None] | None

    def show(self, report: StreamReport) -> None:
        if self.progress is not None:
            self.progress(report)


async def sync_connection(
    connector: Connector,
    settings: Any,
    connection: str,
    landing: Landing,
    *,
    clock: Clock,
    state_dir: Path,
    streams: Sequence[str] | None = None,
    full: bool = False,
    allow_deletes: bool = False,
    progress: Callable[[StreamReport], None] | None = None,
    lock_wait_seconds: float = 0.0,
) -> SyncReport:
    """Sync one connection; faults of a stream end in its report, not in an exception.

    Args:
        connector: the source to read.
        settings: an instance of ``connector.settings``.
        connection: the configured name of this source instance.
        landing: where the records go.
        clock: the run's clock.
        state_dir: private folder for locks, tokens and budgets.
        streams: only these streams (and those they feed); all active ones if None.
        full: read everything again although cursors exist.
        allow_deletes: accept a listing that lacks more than a fifth of the known records.
        progress: called with each stream's report as it grows.
        lock_wait_seconds: how long to wait for another sync of the same connection.

    Raises:
        LockHeldError: another process syncs this connection.
        PipeledgerError: the connection cannot be opened at all (wrong settings, no
            credential); nothing was read.
    """
    own_state = state_dir / connection
    own_state.mkdir(parents=True, exist_ok=True, mode=0o700)
    run = _Run(connector, connection, landing, clock, new_sync_id(), full, allow_deletes, progress)
    with exclusive(own_state / "sync.lock", f"connection {connection}", lock_wait_seconds):
        chosen = _chosen(connector, settings, streams)
        reports = {
            stream.name: StreamReport(connector.source, connection, stream.name)
            for stream in chosen
        }
        resources = Resources(connection, str(own_state), clock)
        places = asyncio.Semaphore(STREAMS_AT_ONCE)
        try:
            async with connector.open(settings, resources) as session:
                tasks = [
                    _sync_stream(run, session, stream, reports[stream.name], places)
                    for stream in chosen
                    if stream.parent is None
                ]
                await asyncio.gather(*tasks)
        except PipeledgerError as error:
            _fail_all(run, chosen, reports, error)
        for stream in chosen:
            if stream.parent is not None and stream.parent in reports:
                parent = reports[stream.parent]
                reports[stream.name].state = parent.state
                reports[stream.name].error = parent.error
        for stream in chosen:
            await asyncio.to_thread(landing.compact, connector.source, stream.name)
        return SyncReport(connector.source, connection, run.sync_id, tuple(reports.values()))


def _chosen(connector: Connector, settings: Any, names: Sequence[str] | None) -> list[Stream]:
    """The active streams asked for, with the streams that they feed.

    Raises:
        PipeledgerError: a name is no active stream of the source.
    """
    active = connector.active(settings) if connector.active is not None else None
    available = [s for s in connector.streams if active is None or s.name in active]
    if names is None:
        return available
    unknown = set(names) - {stream.name for stream in available}
    if unknown:
        known = ", ".join(stream.name for stream in available)
        raise PipeledgerError(f"no stream {', '.join(sorted(unknown))}; there are: {known}")
    return [s for s in available if s.name in names or (s.parent and s.parent in names)]


async def _sync_stream(
    run: _Run, session: Any, stream: Stream, report: StreamReport, places: asyncio.Semaphore
) -> None:
    """Sync one stream and leave its last checkpoint, whatever happens."""
    children = [child for child in run.connector.streams if child.parent == stream.name]
    async with places:
        started = time.monotonic()
        before = _asked(session)
        with ExitStack() as stack:
            writers = {
                one.name: stack.enter_context(
                    run.landing.writer(
                        run.connector.source,
                        one.name,
                        run.connection,
                        sync_id=run.sync_id,
                        volatile=one.volatile,
                    )
                )
                for one in (stream, *children)
            }
            own = writers.pop(stream.name)
            sync = _StreamSync(run, stream, own, writers, report)
            try:
                await sync.read(session)
                report.state = "complete"
            except BudgetSpent as error:
                report.state, report.error = "partial", str(error)
            except asyncio.CancelledError:
                report.state, report.error = "cancelled", "cancelled"
                raise
            except PipeledgerError as error:
                report.state, report.error = "failed", str(error)
            except Exception as error:  # noqa: BLE001 - a defect costs this stream, not the others
                report.state = "failed"
                report.error = redact(f"{type(error).__name__}: {error}")
                _log.exception("stream_failed", source=report.source, stream=report.stream)
            finally:
                after = _asked(session)
                report.requests = after[0] - before[0]
                report.bytes = after[1] - before[1]
                report.seconds = time.monotonic() - started
                sync.checkpoint(report.state, report.error)
                run.show(report)


def _fail_all(
    run: _Run,
    chosen: Sequence[Stream],
    reports: dict[str, StreamReport],
    error: PipeledgerError,
) -> None:
    """Note a fault of the whole connection on every stream that has no end yet."""
    for stream in chosen:
        report = reports[stream.name]
        if report.state != "running":
            continue
        report.state, report.error = "failed", str(error)
        now = run.clock()
        last = run.landing.last_checkpoint(run.connector.source, stream.name, run.connection)
        cursor = last.cursor if last else None
        row = Checkpoint(
            run.connector.source,
            run.connection,
            stream.name,
            run.sync_id,
            cursor,
            "failed",
            *(0, 0, 0, 0),
            now,
            now,
            1,
            last.swept_at if last else None,
            report.error,
        )
        run.landing.checkpoint(row)


def _asked(session: Any) -> tuple[int, int]:
    """Requests and bytes of a session so far, where it counts them."""
    return int(getattr(session, "requests", 0)), int(getattr(session, "bytes", 0))
