"""Build: pin what landed, run the models over it, run every check.

A build reads exactly one Delta version of each stream. ``as_of`` is both what pipeledger
knew (versions observed by then) and the instant the marts speak of, so that a past report
can be made again.
"""

import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from connectors.base.errors import PipeledgerError
from connectors.base.locks import write_durably
from pipeledger.crash import crash_point
from pipeledger.dbt_runs import BuildError, Dbt, dbt_environment
from pipeledger.kept import standing_relations
from pipeledger.landing import Landing
from pipeledger.landing.closes import Closes
from pipeledger.locks import exclusive
from pipeledger.manifest import is_read
from pipeledger.project import ROOT
from pipeledger.settings import Settings
from pipeledger.warehouse import Inputs, dbt_vars, open_warehouse, prepare

LOCK_WAIT_SECONDS = 30.0
FREE_BYTES = 200 * 1024**2
SHOWN_RECORDS = 10


class DiskFullError(PipeledgerError):
    """Not enough free space to build or publish."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A check that failed: its name, severity, how many rows, and the first of them."""

    name: str
    severity: str
    rows: int
    message: str
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LandedReport:
    """How many expectations were asked of the landed data, and which it did not meet."""

    checks: int
    failures: tuple[Failure, ...] = ()


LandedChecks: TypeAlias = Callable[[Path], LandedReport]
"""Checks what landed, given the warehouse file with its raw views."""


@dataclass(slots=True)
class BuildReport:
    """What a build made and what its checks found.

    ``models`` counts those that stood already, too. ``seconds`` by step: prepare, models, checks.
    """

    build_id: str
    as_of: datetime
    warehouse: Path
    models: int = 0
    checks: int = 0
    failures: list[Failure] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def errors(self) -> list[Failure]:
        """The failures that keep the last good publication in place."""
        return [failure for failure in self.failures if failure.severity == "error"]

    @property
    def warnings(self) -> list[Failure]:
        """The failures that publish and list their records."""
        return [failure for failure in self.failures if failure.severity != "error"]


def build(
    settings: Settings,
    landing: Landing,
    *,
    now: datetime,
    as_of: datetime | None = None,
    full: bool = False,
    landed_checks: LandedChecks | None = None,
) -> BuildReport:
    """Build the warehouse and run its checks.

    Args:
        settings: the settings.
        landing: what was landed.
        now: the run's clock.
        as_of: knowledge and report instant in UTC; ``now`` if None. A past one is built in
            a file of its own and never touches the running warehouse.
        full: rebuild incremental models from scratch.
        landed_checks: judges the raw views before any model reads them; its failures are
            reported beside those of the models' own checks.

    Raises:
        LockHeldError: another build is running.
        BuildError: a model failed.
        DiskFullError: too little space is left.
    """
    with prepared_warehouse(settings, landing, now=now, as_of=as_of) as ready:
        report = BuildReport(ready.build_id, ready.as_of, ready.path)
        report.seconds["prepare"] = ready.seconds
        if landed_checks is not None:
            started = time.monotonic()
            landed = landed_checks(ready.path)
            report.checks, report.failures = landed.checks, list(landed.failures)
            report.seconds["landed checks"] = time.monotonic() - started
        refresh = ["--full-refresh"] if full or as_of is not None else []
        others = ("test", "unit_test", "exposure")
        skipped = [word for kind in others for word in ("--exclude-resource-type", kind)]
        started = time.monotonic()
        dbt = Dbt(ready.path, ready.variables)
        report.seconds["parse"] = time.monotonic() - started
        standing = 0 if refresh else dbt.leave(ready.standing)
        results, report.seconds["models"] = dbt.run("build", *skipped, *refresh)
        report.models = len(results) + standing
        _raise_for_models(results)
        crash_point("after-models")
        only = ["--exclude-resource-type", "unit_test"]
        results, report.seconds["checks"] = dbt.run("test", *only)
        report.checks += len(results)
        report.failures += _failures(results, ready.path)
        crash_point("after-checks")
    return report


@dataclass(frozen=True, slots=True)
class Prepared:
    """A warehouse file that is locked and ready for dbt.

    ``variables`` is the JSON text of dbt's variables; ``standing`` are the views and tables
    that earlier builds left, by schema and name; ``seconds`` is what preparing took.
    """

    build_id: str
    as_of: datetime
    path: Path
    variables: str
    standing: frozenset[tuple[str, str]]
    seconds: float


@contextmanager
def prepared_warehouse(
    settings: Settings,
    landing: Landing,
    *,
    now: datetime,
    as_of: datetime | None = None,
    lock_wait_seconds: float = LOCK_WAIT_SECONDS,
) -> Iterator[Prepared]:
    """Lock the warehouse, pin the landing, make the raw views and the settings' tables.

    Whoever runs dbt does so inside the block, in whose environment profiles.yml finds the
    file.

    Raises:
        LockHeldError: another build is running.
        DiskFullError: too little space is left.
    """
    instant = (as_of or now).astimezone(UTC)
    path = _warehouse(settings, as_of)
    with warehouse_lock(settings, lock_wait_seconds):
        _check_space(path)
        build_id = _build_id()
        # Before anything changes: what the file held until now is no longer to be published.
        write_durably(mark_of(path), build_id.encode())
        started = time.monotonic()
        closed = Closes(landing.root).files()
        inputs = Inputs(landing.pin(), landing.checkpoints(), instant, *closed)
        db = open_warehouse(path)
        try:
            prepare(db, settings, inputs)
            standing = standing_relations(db)
        finally:
            db.close()
        crash_point("after-prepare")
        with dbt_environment(path, instant):
            seconds = time.monotonic() - started
            yield Prepared(build_id, instant, path, dbt_vars(settings), standing, seconds)


def warehouse_lock(settings: Settings, wait_seconds: float) -> AbstractContextManager[None]:
    """The lock of everybody who opens the warehouse file, to write or to publish.

    Raises:
        LockHeldError: when entered, another process holds it; names it.
    """
    return exclusive(settings.paths.state / "warehouse.lock", "the warehouse", wait_seconds)


def build_in(warehouse: Path) -> str | None:
    """The build that a warehouse file holds, begun or done; None if an earlier release made it."""
    try:
        return mark_of(warehouse).read_text(encoding="ascii")
    except FileNotFoundError:
        return None


def mark_of(warehouse: Path) -> Path:
    """The file beside a warehouse that names the build in it."""
    return warehouse.with_suffix(".build")


def _build_id() -> str:
    """A name that sorts by the wall clock, so that the newest build is the last by name."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(2)}"


def _warehouse(settings: Settings, as_of: datetime | None) -> Path:
    if as_of is None:
        return settings.paths.warehouse / "pipeledger.duckdb"
    return settings.paths.warehouse / f"as_of_{as_of.astimezone(UTC):%Y%m%dT%H%M%S}.duckdb"


def _check_space(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    free = shutil.disk_usage(path.parent).free
    if free < FREE_BYTES:
        raise DiskFullError(
            f"disk full: {free >> 20} MB are free below {path.parent}, a build needs "
            f"{FREE_BYTES >> 20} MB. Free some space and run again; nothing was lost."
        )


def load_libraries() -> None:
    """Load what a build needs and little else does, so that the build itself need not wait."""
    for name in ("dbt.cli.main", "dbt.adapters.duckdb", "great_expectations"):
        import_module(name)


@contextmanager
def reading_ahead(settings: Settings) -> Iterator[None]:
    """Let dbt read the project for the first time beside the block, in a process of its own.

    A build that follows finds what was read, and need not read for ten seconds. Where dbt has
    read the project before, nothing is started.
    """
    path = _warehouse(settings, None)
    if is_read(path):
        yield
        return
    # Its exit code is nobody's news: the build reads again, and says what is wrong.
    reading = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
        [sys.executable, "-m", "pipeledger.manifest", str(path)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
        reading.wait()
    finally:
        reading.terminate()
        reading.wait()


def _raise_for_models(results: list[Any]) -> None:
    broken = [one for one in results if str(one.status) in {"error", "fail"}]
    if broken:
        first = broken[0]
        others = f" ({len(broken) - 1} more failed)" if len(broken) > 1 else ""
        text = " ".join(str(first.message).split())[:600]
        raise BuildError(f"model {first.node.name} failed{others}: {text}")


def _failures(results: list[Any], warehouse: Path) -> Iterator[Failure]:
    """The checks that did not pass, each with the first records it names."""
    bad = [one for one in results if str(one.status) in {"error", "fail", "warn"}]
    if not bad:
        return
    db = open_warehouse(warehouse)
    try:
        for one in bad:
            is_warning = str(one.status) == "warn"
            yield Failure(
                str(one.node.name),
                "warn" if is_warning else "error",
                int(one.failures or 0),
                " ".join(str(one.message).split())[:300],
                failing_records(db, str(one.node.compiled_code or "")),
            )
    finally:
        db.close()


def failing_records(db: Any, sql: str) -> tuple[str, ...]:
    """The first failing rows as text, key columns first as the test selects them."""
    import duckdb

    if not sql:
        return ()
    try:
        cursor = db.execute(f"select * from ({sql}) as failing limit {SHOWN_RECORDS}")  # noqa: S608 - dbt's own text
    except duckdb.Error as error:
        print(f"(the failing rows cannot be shown: {error})", file=sys.stderr)
        return ()
    names = [column[0] for column in cursor.description]
    return tuple(
        ", ".join(
            f"{name}={value}" for name, value in zip(names, row, strict=True) if value is not None
        )
        for row in cursor.fetchall()
    )
