"""The whole road: sync every connection, build, check, publish.

One failing source does not stop the others; a failing check keeps the last good
publication. What happened is kept in ``state/last_run.json`` for ``status``.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connectors.base.errors import ConfigError, PipeledgerError
from connectors.base.locks import write_durably
from connectors.base.redact import redact
from pipeledger.build import LOCK_WAIT_SECONDS, BuildReport, Failure, build
from pipeledger.clock import Clock, frozen_clock, system_clock
from pipeledger.guard import CHECKS_FAILED, FAILED, OK, PARTIAL
from pipeledger.landed_checks import check_landed
from pipeledger.landing import Landing
from pipeledger.locks import LockHeldError, exclusive
from pipeledger.postgres.outcome import Outcome
from pipeledger.publish import Publication, publish
from pipeledger.settings import Connection, Settings
from pipeledger.sync import (
    Range,
    RebuiltStream,
    StreamReport,
    SyncReport,
    backfill_connection,
    cancel_on_signals,
    rebuild_state,
    sync_connection,
)

Progress = Callable[[StreamReport], None]


@dataclass(slots=True)
class RunReport:
    """What a run did; ``exit_code`` as the command line returns it."""

    syncs: list[SyncReport] = field(default_factory=list)
    build: BuildReport | None = None
    publication: Publication | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """3 if a check failed, 1 or 4 if PostgreSQL kept its last build, else as the syncs."""
        if self.build is not None and self.build.errors:
            return CHECKS_FAILED
        published = OK if self.publication is None else self.publication.exit_code
        return published or sync_exit_code(self.syncs)


def sync_exit_code(reports: Sequence[SyncReport]) -> int:
    """1 if the disk was full, 5 if a stream is not complete, else 0."""
    if any(stream.is_disk_full for report in reports for stream in report.streams):
        return FAILED
    return OK if all(report.is_complete for report in reports) else PARTIAL


def clock_of(settings: Settings) -> Clock:
    """The run's clock: the machine's, or the frozen one of the settings."""
    return system_clock if settings.clock is None else frozen_clock(settings.clock)


def landing_of(settings: Settings) -> Landing:
    """The landing store of the settings."""
    keeps = {
        (source, stream): keep
        for source, streams in settings.retention.items()
        for stream, keep in streams.items()
    }
    return Landing(settings.paths.landing, keeps)


async def sync_all(
    settings: Settings,
    *,
    connections: Sequence[str] | None = None,
    streams: Sequence[str] | None = None,
    full: bool = False,
    allow_deletes: bool = False,
    progress: Progress | None = None,
    lock_wait_seconds: float = 0.0,
) -> list[SyncReport]:
    """Sync the chosen connections side by side.

    ``lock_wait_seconds`` is how long to wait for another process that syncs one of them.

    Raises:
        LockHeldError: another process syncs one of them; the others are done first.
    """
    landing = landing_of(settings)

    async def one(connection: Connection) -> SyncReport:
        return await sync_connection(
            connection.connector,
            connection.settings,
            connection.name,
            landing,
            clock=clock_of(settings),
            state_dir=settings.paths.state,
            streams=streams,
            full=full,
            allow_deletes=allow_deletes,
            progress=progress,
            lock_wait_seconds=lock_wait_seconds,
        )

    chosen = [c for c in settings.connections if connections is None or c.name in connections]
    with cancel_on_signals():
        return _reports(await asyncio.gather(*map(one, chosen), return_exceptions=True))


async def backfill_all(
    settings: Settings,
    within: Range,
    *,
    connections: Sequence[str],
    streams: Sequence[str] | None = None,
    progress: Progress | None = None,
    lock_wait_seconds: float = 0.0,
) -> list[SyncReport]:
    """Read a range of the chosen connections again, side by side; no cursor moves.

    Raises:
        LockHeldError: another process syncs one of them; the others are done first.
        ConfigError: a stream was never synced.
    """
    landing = landing_of(settings)

    async def one(connection: Connection) -> SyncReport:
        return await backfill_connection(
            connection.connector,
            connection.settings,
            connection.name,
            landing,
            within=within,
            clock=clock_of(settings),
            state_dir=settings.paths.state,
            streams=streams,
            progress=progress,
            lock_wait_seconds=lock_wait_seconds,
        )

    chosen = [one for one in settings.connections if one.name in connections]
    with cancel_on_signals():
        return _reports(await asyncio.gather(*map(one, chosen), return_exceptions=True))


def _reports(results: Sequence[SyncReport | BaseException]) -> list[SyncReport]:
    """The reports; the first fault is raised, now that the others are done."""
    held = [result for result in results if isinstance(result, BaseException)]
    if held:
        raise held[0]
    return [result for result in results if isinstance(result, SyncReport)]


def range_of_days(settings: Settings, first: date, last: date) -> Range:
    """From the first day's beginning to the last one's end, in the company's zone.

    Raises:
        ConfigError: the last day comes before the first.
    """
    if last < first:
        raise ConfigError(f"the range ends ({last}) before it begins ({first})")
    zone = ZoneInfo(settings.company.time_zone)
    begin = datetime.combine(first, time(), zone)
    end = datetime.combine(last + timedelta(days=1), time(), zone)
    return Range(begin.astimezone(UTC), end.astimezone(UTC))


def connections_named(settings: Settings, name: str) -> list[str]:
    """The connection of that name, or all of the source of that name.

    Raises:
        ConfigError: there is neither.
    """
    found = [one.name for one in settings.connections if name in (one.name, one.source)]
    if not found:
        names = ", ".join(one.name for one in settings.connections) or "none"
        raise ConfigError(f"no connection or source {name}; there are the connections: {names}")
    return [name] if name in found else found


def rebuild_all(settings: Settings) -> list[RebuiltStream]:
    """Make damaged sync state usable again while no connection is being synced.

    Raises:
        LockHeldError: a connection is being synced.
    """
    with ExitStack() as held:
        for connection in settings.connections:
            lock = settings.paths.state / connection.name / "sync.lock"
            held.enter_context(exclusive(lock, f"connection {connection.name}"))
        return rebuild_state(landing_of(settings), now=clock_of(settings)())


def build_and_note(
    settings: Settings, *, as_of: datetime | None = None, full: bool = False
) -> BuildReport:
    """Build, and keep the outcome for ``status`` and ``publish``."""
    now = clock_of(settings)()
    try:
        report = build(
            settings,
            landing_of(settings),
            now=now,
            as_of=as_of,
            full=full,
            landed_checks=check_landed,
        )
    except LockHeldError:
        raise
    except Exception as error:
        note_broken_build(settings, str(error))
        raise
    if as_of is None:
        note_build(settings, report)
    return report


def note_build(settings: Settings, report: BuildReport) -> None:
    """Keep what a build came to, for ``status`` and for the publication that follows."""
    state = "checks_failed" if report.errors else "checked"
    at = clock_of(settings)().isoformat()
    _note(settings, {"state": state, "at": at, "build": _plain(report)})


def note_broken_build(settings: Settings, error: str) -> None:
    """Keep why a build did not get to its end."""
    at = clock_of(settings)().isoformat()
    _note(settings, {"state": "failed", "error": redact(error), "at": at})


def noted_build(settings: Settings) -> BuildReport:
    """The newest build as it was noted, ready to be published.

    Raises:
        PipeledgerError: there is none, or it did not get to its end.
    """
    found = last_build(settings)
    if found is None or "build" not in found:
        raise PipeledgerError("there is no finished build to publish: run `pipeledger build`")
    build = found["build"]
    return BuildReport(
        build["build_id"],
        datetime.fromisoformat(build["as_of"]),
        Path(build["warehouse"]),
        build["models"],
        build["checks"],
        [Failure(**{**one, "records": tuple(one["records"])}) for one in build["failures"]],
        build["seconds"],
    )


def publish_and_note(
    settings: Settings, report: BuildReport, *, lock_wait_seconds: float = LOCK_WAIT_SECONDS
) -> Publication:
    """Publish, and note that this build is the one that readers see, and in PostgreSQL or not."""
    done = publish(settings, report, lock_wait_seconds=lock_wait_seconds)
    at = clock_of(settings)().isoformat()
    _note(settings, {"state": "published", "at": at, "build": _plain(report)})
    if done.postgres is not None:
        _note_postgres(settings, done.postgres, at)
    return done


def _note_postgres(settings: Settings, outcome: Outcome, at: str) -> None:
    """Keep which build stands in PostgreSQL, and why a newer one does not."""
    failed = outcome.error is not None
    before = noted_postgres(settings) or {}
    noted = {
        "build_id": before.get("build_id") if failed else outcome.build_id,
        "published_at": before.get("published_at") if failed else at,
        "at": at,
        "error": outcome.error and redact(outcome.error),
    }
    text = json.dumps(noted, indent=2)
    write_durably(settings.paths.state / "postgres.json", text.encode())


def noted_postgres(settings: Settings) -> dict[str, Any] | None:
    """What we last knew of PostgreSQL: its build, since when, and the newest error."""
    path = settings.paths.state / "postgres.json"
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def last_build(settings: Settings) -> dict[str, Any] | None:
    """What the newest build came to; None before the first."""
    path = settings.paths.state / "last_build.json"
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _note(settings: Settings, content: dict[str, Any]) -> None:
    settings.paths.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = json.dumps(content, default=str, indent=2)
    write_durably(settings.paths.state / "last_build.json", text.encode())


def _plain(report: BuildReport) -> dict[str, Any]:
    content = asdict(report)
    content["warehouse"] = str(report.warehouse)
    content["as_of"] = report.as_of.isoformat()
    return content


def warehouse_of(settings: Settings) -> Path:
    """The private warehouse file."""
    return settings.paths.warehouse / "pipeledger.duckdb"
