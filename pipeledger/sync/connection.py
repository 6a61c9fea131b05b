"""One connection's sync: lock, state, streams side by side, one report."""

import asyncio
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from connectors.base.errors import AccessDenied, BudgetSpent, ConfigError, PipeledgerError
from connectors.base.redact import redact
from connectors.base.stream import Connector, Resources, Stream
from pipeledger.clock import Clock, new_sync_id
from pipeledger.crash import crash_point
from pipeledger.landing import Checkpoint, Landing, StorageFullError
from pipeledger.locks import exclusive
from pipeledger.sync.checkpoints import Checkpoints
from pipeledger.sync.interrupt import in_thread
from pipeledger.sync.report import StreamReport, SyncReport
from pipeledger.sync.state import fit_checkpoints
from pipeledger.sync.stream import Scope, StreamSync

_log = structlog.get_logger(__name__)

STREAMS_AT_ONCE = 4


@dataclass(slots=True)
class _Run:
    """What the streams of one sync share, and what becomes of each."""

    scope: Scope
    connector: Connector
    reports: dict[str, StreamReport]
    last: Mapping[str, Checkpoint]
    progress: Callable[[StreamReport], None] | None
    places: asyncio.Semaphore
    refused: AccessDenied | None = None

    def show(self, report: StreamReport) -> None:
        """Tell whoever watches how far a stream is."""
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

    A cancelled sync (see ``cancel_on_signals``) lands the pages in hand, leaves checkpoints
    ``cancelled`` and raises CancelledError.

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
        LockHeldError: another process syncs this connection; names it.
        ConfigError: settings or stored state cannot be used; says the way out.
    """
    own_state = state_dir / connection
    own_state.mkdir(parents=True, exist_ok=True, mode=0o700)
    landing.prepare()
    with ExitStack() as held:
        lock = exclusive(own_state / "sync.lock", f"connection {connection}", lock_wait_seconds)
        await in_thread(held.enter_context, lock)
        sweep_scratch(landing, connection)
        held.enter_context(landing.room(connection))
        chosen = chosen_streams(connector, settings, streams)
        last = fit_checkpoints(
            landing,
            connector.source,
            connection,
            [stream.name for stream in _with_fed(connector, chosen)],
            now=clock(),
            full=full,
        )
        newest = max((row.sync_id for row in last.values()), default=None)
        scope = Scope(
            connector.source,
            connection,
            landing,
            Checkpoints(landing),
            clock,
            new_sync_id(newest),
            full,
            allow_deletes,
        )
        reports = {one.name: StreamReport(connector.source, connection, one.name) for one in chosen}
        run = _Run(scope, connector, reports, last, progress, asyncio.Semaphore(STREAMS_AT_ONCE))
        await in_thread(_note_start, run, _with_fed(connector, chosen))
        try:
            await _read_streams(run, settings, chosen, own_state)
        finally:
            _note_rest(run)
        crash_point("before-compaction")
        grown = [name for name, report in reports.items() if report.appended]
        await in_thread(landing.compact, connector.source, *grown)
        return SyncReport(connector.source, connection, scope.sync_id, tuple(reports.values()))


async def _read_streams(
    run: _Run, settings: Any, chosen: Sequence[Stream], own_state: Path
) -> None:
    resources = Resources(run.scope.connection, str(own_state), run.scope.clock)
    fed = [stream for stream in chosen if stream.parent is not None]
    try:
        async with (
            run.connector.open(settings, resources) as session,
            asyncio.TaskGroup() as group,
        ):
            for stream in chosen:
                if stream.parent is None:
                    group.create_task(_sync_stream(run, session, stream))
    except asyncio.CancelledError:
        for stream in chosen:
            report = run.reports[stream.name]
            if report.state == "running" and stream.parent is None:
                report.state, report.error = "cancelled", "cancelled"
                _note_end(run, stream, report)
        raise
    except ConfigError as error:
        _fail_rest(run, chosen, error)
        raise
    except Exception as error:  # noqa: BLE001 - a connection that cannot be opened costs only itself
        _fail_rest(run, chosen, error)
        _log.warning("connection_failed", connection=run.scope.connection, reason=fault_text(error))
    for stream in fed:
        # Fed streams share their parent's fate.
        parent = run.reports.get(str(stream.parent))
        if parent is not None:
            run.reports[stream.name].state = parent.state
            run.reports[stream.name].error = parent.error


def chosen_streams(
    connector: Connector, settings: Any, names: Sequence[str] | None
) -> list[Stream]:
    """The active streams asked for, with the streams that they feed.

    Raises:
        ConfigError: a name is no active stream of the source.
    """
    active = connector.active(settings) if connector.active is not None else None
    available = [s for s in connector.streams if active is None or s.name in active]
    if names is None:
        return available
    unknown = set(names) - {stream.name for stream in available}
    if unknown:
        known = ", ".join(stream.name for stream in available)
        raise ConfigError(
            f"{connector.source} has no stream {', '.join(sorted(unknown))}; there are: {known}"
        )
    return [s for s in available if s.name in names or (s.parent and s.parent in names)]


def _with_fed(connector: Connector, chosen: Sequence[Stream]) -> list[Stream]:
    """The chosen streams and all that they may feed, asked for or not."""
    names = {stream.name for stream in chosen}
    return [s for s in connector.streams if s.name in names or s.parent in names]


def _note_start(run: _Run, streams: Sequence[Stream]) -> None:
    """Leave a row per stream before anything lands.

    So landed versions without any checkpoint mean that the state was lost, never that a
    first sync was killed early.
    """
    now = run.scope.clock()
    rows = []
    for stream in streams:
        before = run.last.get(stream.name)
        rows.append(
            Checkpoint(
                run.scope.source,
                run.scope.connection,
                stream.name,
                run.scope.sync_id,
                before.cursor if before else None,
                "running",
                *(0, 0, 0, 0),
                now,
                now,
                0,
                before.swept_at if before else None,
            )
        )
    run.scope.checkpoints.commit(*rows)
    crash_point("after-start")


async def _sync_stream(run: _Run, session: Any, stream: Stream) -> None:
    """Sync one stream and leave its last checkpoint, whatever happens."""
    report = run.reports[stream.name]
    async with run.places:
        if run.refused is not None:
            # The credential itself was refused: asking again could lock the account.
            report.state, report.error = "failed", str(run.refused)
            await in_thread(_note_end, run, stream, report)
            run.show(report)
            return
        started = time.monotonic()
        before = asked_of(session)

        def measured(report: StreamReport) -> None:
            after = asked_of(session)
            report.requests, report.bytes = after[0] - before[0], after[1] - before[1]
            tell = getattr(session, "report", None)
            report.budget = tell() if callable(tell) else {}
            run.show(report)

        with ExitStack() as stack:
            sync: StreamSync | None = None
            try:
                sync = await in_thread(_open, run, stream, report, stack, measured)
                await sync.read(session)
                report.state = "complete"
            except BudgetSpent as error:
                report.state, report.error = "partial", str(error)
            except asyncio.CancelledError:
                report.state, report.error = "cancelled", "cancelled"
                raise
            except Exception as error:  # noqa: BLE001 - a fault costs this stream, not the others
                report.state, report.error = "failed", fault_text(error)
                report.is_disk_full = isinstance(error, StorageFullError)
                if isinstance(error, AccessDenied) and error.whole_source:
                    run.refused = error
                if not isinstance(error, PipeledgerError):
                    _log.exception("stream_failed", source=report.source, stream=report.stream)
            finally:
                report.seconds = time.monotonic() - started
                measured(report)
                _note_end(run, stream, report, sync)


def _open(
    run: _Run,
    stream: Stream,
    report: StreamReport,
    stack: ExitStack,
    show: Callable[[StreamReport], None],
) -> StreamSync:
    children = [child for child in run.connector.streams if child.parent == stream.name]
    writers = {
        one.name: stack.enter_context(
            run.scope.landing.writer(
                run.scope.source,
                one.name,
                run.scope.connection,
                sync_id=run.scope.sync_id,
                volatile=one.volatile,
                trust_clock=not run.scope.full,
            )
        )
        for one in (stream, *children)
    }
    own = writers.pop(stream.name)
    last = run.last.get(stream.name)
    return StreamSync(
        run.scope, stream, last=last, writer=own, children=writers, report=report, show=show
    )


def _note_end(
    run: _Run, stream: Stream, report: StreamReport, sync: StreamSync | None = None
) -> None:
    """Leave the end of a stream; where it was never opened, its cursor stays."""
    try:
        if sync is not None:
            sync.checkpoint(report.state, report.error)
        else:
            _checkpoint_unread(run, stream, report)
    except Exception as error:  # noqa: BLE001 - a full disk must not hide why the stream ended
        report.state, report.error = "failed", report.error or fault_text(error)
        _log.warning("checkpoint_failed", stream=stream.name, reason=fault_text(error))


def _note_rest(run: _Run) -> None:
    """Leave the ends that waited for a commit."""
    try:
        run.scope.checkpoints.commit()
    except Exception as error:  # noqa: BLE001 - a full disk must not hide how the streams ended
        for name in run.scope.checkpoints.waiting & run.reports.keys():
            report = run.reports[name]
            report.state, report.error = "failed", fault_text(error)
            report.is_disk_full = isinstance(error, StorageFullError)
        _log.warning("checkpoint_failed", reason=fault_text(error))


def _checkpoint_unread(run: _Run, stream: Stream, report: StreamReport) -> None:
    last = run.last.get(stream.name)
    now = run.scope.clock()
    run.scope.checkpoints.keep(
        Checkpoint(
            run.scope.source,
            run.scope.connection,
            stream.name,
            run.scope.sync_id,
            last.cursor if last else None,
            report.state,
            *(0, 0, 0, 0),
            now,
            now,
            1,
            last.swept_at if last else None,
            report.error,
        )
    )


def _fail_rest(run: _Run, chosen: Sequence[Stream], error: Exception) -> None:
    """Note a fault of the whole connection on every stream that has no end yet."""
    for stream in chosen:
        report = run.reports[stream.name]
        if report.state == "running":
            report.state, report.error = "failed", fault_text(error)
            _note_end(run, stream, report)


def fault_text(error: Exception) -> str:
    """What to tell of a fault, secrets masked."""
    if isinstance(error, PipeledgerError):
        return str(error)
    return redact(f"{type(error).__name__}: {error}")


def asked_of(session: Any) -> tuple[int, int]:
    """Requests and bytes of a session so far, where it counts them."""
    return int(getattr(session, "requests", 0)), int(getattr(session, "bytes", 0))


def sweep_scratch(landing: Landing, connection: str) -> None:
    """Remove what a killed sync of this connection has spilled; its lock is ours."""
    shutil.rmtree(Path(landing.root) / "_scratch" / connection, ignore_errors=True)
