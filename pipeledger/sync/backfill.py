"""A range of changes read again: what is missing lands, and the live cursor stays where it is.

Every page of a full read is looked at; of its records those land whose own clock lies in the
range, or that have none. Landing drops what it has. No checkpoint is written: the next sync
goes on as if there had been no backfill, and no stream looks fresher than it is.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from connectors.base.errors import BudgetSpent, ConfigError, PipeledgerError
from connectors.base.stream import Connector, Page, ReadRequest, Record, Resources, Stream
from pipeledger.clock import Clock, new_sync_id
from pipeledger.landing import Landing, Writer
from pipeledger.locks import exclusive
from pipeledger.sync.ahead import read_ahead
from pipeledger.sync.batch import Batch
from pipeledger.sync.connection import (
    STREAMS_AT_ONCE,
    asked_of,
    chosen_streams,
    fault_text,
    sweep_scratch,
)
from pipeledger.sync.interrupt import in_thread
from pipeledger.sync.report import StreamReport, SyncReport
from pipeledger.sync.state import fit_checkpoints

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Range:
    """Instants from ``since`` on and before ``until``."""

    since: datetime
    until: datetime

    def holds(self, record: Record) -> bool:
        """Is the record of this range? One without a clock is, unless it tells an end.

        An end without a clock (a comparison of ids found the record gone) is of the day on
        which it was found, and the sync's to tell.
        """
        changed = record.source_updated_at
        if changed is None:
            return record.change == "upsert"
        return self.since <= changed < self.until


async def backfill_connection(
    connector: Connector,
    settings: Any,
    connection: str,
    landing: Landing,
    *,
    within: Range,
    clock: Clock,
    state_dir: Path,
    streams: Sequence[str] | None = None,
    progress: Callable[[StreamReport], None] | None = None,
    lock_wait_seconds: float = 0.0,
) -> SyncReport:
    """Read a range of one connection again; faults of a stream end in its report.

    The arguments are those of ``sync_connection``; ``within`` is the range.

    Raises:
        LockHeldError: another process syncs this connection; names it.
        ConfigError: a stream was never synced, or its state cannot be used.
    """
    own_state = state_dir / connection
    with ExitStack() as held:
        lock = exclusive(own_state / "sync.lock", f"connection {connection}", lock_wait_seconds)
        await in_thread(held.enter_context, lock)
        sweep_scratch(landing, connection)
        held.enter_context(landing.room(connection))
        chosen = [one for one in chosen_streams(connector, settings, streams) if not one.parent]
        names = [stream.name for stream in chosen]
        last = fit_checkpoints(
            landing, connector.source, connection, names, now=clock(), full=False
        )
        unread = [name for name in names if name not in last]
        if unread:
            raise ConfigError(
                f"{connection} was never synced ({', '.join(unread)}): run "
                f"`pipeledger sync {connection}` first, it reads everything there is."
            )
        sync_id = new_sync_id(max((row.sync_id for row in last.values()), default=None))
        reports = {name: StreamReport(connector.source, connection, name) for name in names}
        places = asyncio.Semaphore(STREAMS_AT_ONCE)
        job = _Job(connector, connection, landing, clock, sync_id, within, progress)
        try:
            async with (
                connector.open(settings, Resources(connection, str(own_state), clock)) as session,
                asyncio.TaskGroup() as group,
            ):
                for stream in chosen:
                    group.create_task(_read(job, session, stream, reports[stream.name], places))
        except ConfigError:
            raise
        except Exception as error:  # noqa: BLE001 - a connection that cannot be opened costs only itself
            for report in reports.values():
                if report.state == "running":
                    report.state, report.error = "failed", fault_text(error)
        return SyncReport(connector.source, connection, sync_id, tuple(reports.values()))


@dataclass(frozen=True, slots=True)
class _Job:
    """What the streams of one backfill share."""

    connector: Connector
    connection: str
    landing: Landing
    clock: Clock
    sync_id: str
    within: Range
    progress: Callable[[StreamReport], None] | None


async def _read(
    job: _Job, session: Any, stream: Stream, report: StreamReport, places: asyncio.Semaphore
) -> None:
    """Read one stream; whatever happens ends in its report."""
    async with places:
        started, before = time.monotonic(), asked_of(session)
        with ExitStack() as stack:
            try:
                writers = await in_thread(_writers, job, stream, stack)
                await _read_pages(job, session, stream, report, writers)
                report.state = "complete"
            except BudgetSpent as error:
                report.state, report.error = "partial", str(error)
            except asyncio.CancelledError:
                report.state, report.error = "cancelled", "cancelled"
                raise
            except Exception as error:  # noqa: BLE001 - a fault costs this stream, not the others
                report.state, report.error = "failed", fault_text(error)
                if not isinstance(error, PipeledgerError):
                    _log.exception("stream_failed", source=report.source, stream=report.stream)
            finally:
                after = asked_of(session)
                report.requests, report.bytes = after[0] - before[0], after[1] - before[1]
                report.seconds = time.monotonic() - started
                tell = getattr(session, "report", None)
                report.budget = tell() if callable(tell) else {}
                if job.progress is not None:
                    job.progress(report)


def _writers(job: _Job, stream: Stream, stack: ExitStack) -> dict[str, Writer]:
    """Where the stream and those that it feeds land."""
    fed = [one for one in job.connector.streams if one.parent == stream.name]
    return {
        one.name: stack.enter_context(
            job.landing.writer(
                job.connector.source,
                one.name,
                job.connection,
                sync_id=job.sync_id,
                volatile=one.volatile,
            )
        )
        for one in (stream, *fed)
    }


async def _read_pages(
    job: _Job,
    session: Any,
    stream: Stream,
    report: StreamReport,
    writers: Mapping[str, Writer],
) -> None:
    if stream.read is None:
        return
    own = writers[stream.name]
    request = ReadRequest(
        stream,
        job.connection,
        job.clock(),
        full=True,
        live_ids=own.live_ids,
        archived_ids=own.archived_ids,
        listed_ids=own.listed_ids,
    )
    batch, outside = Batch(), 0
    try:
        async with aclosing(read_ahead(stream.read(session, request))) as pages:
            async for page in pages:
                kept = _kept(page, job.within)
                report.seen += len(page.records)
                outside += len(page.records) - len(kept.records)
                batch.add(kept)
                if page.rejected:
                    await in_thread(_set_aside, job, stream, page, report)
                if batch.is_full:
                    full, batch = batch, Batch()
                    await in_thread(_land, stream, full, writers, report)
    finally:
        # Whole pages that came before a fault land, as in a sync.
        await in_thread(_land, stream, batch, writers, report)
    report.note = f"{outside} records changed outside the range and were left"


def _kept(page: Page, within: Range) -> Page:
    """The page's records of the range; neither its cursor nor what it says is gone."""
    return replace(
        page,
        records=[one for one in page.records if within.holds(one)],
        children={
            name: [one for one in records if within.holds(one)]
            for name, records in page.children.items()
        },
        cursor=None,
        complete_ids=None,
    )


def _set_aside(job: _Job, stream: Stream, page: Page, report: StreamReport) -> None:
    job.landing.quarantine(
        job.connector.source,
        stream.name,
        job.connection,
        page.rejected,
        sync_id=job.sync_id,
        observed_at=job.clock(),
    )
    report.quarantined += len(page.rejected)


def _land(
    stream: Stream, batch: Batch, writers: Mapping[str, Writer], report: StreamReport
) -> None:
    for name, records in (*batch.children.items(), (stream.name, batch.records)):
        if records:
            done = writers[name].append(records)
            report.appended += done.appended
            report.late += done.late
            report.quarantined += done.quarantined
            report.replaced_text += done.replaced_text
            report.expired += done.expired
