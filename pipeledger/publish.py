"""Publish: the marts into a file of their own, then a flip of the link ``current.duckdb``.

Readers see the whole old build or the whole new one. With ``[serving.postgres]`` the same build
lies ready in PostgreSQL before the flip and is committed after it. The file is written in a storage
version that DuckDB 1.5 reads, with every description as a comment. A mart that is a view
stays one: it answers from the tables beside it and has neither rows nor a checksum of its own.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from connectors.base.errors import PipeledgerError
from pipeledger.build import LOCK_WAIT_SECONDS, BuildReport, build_in, warehouse_lock
from pipeledger.crash import crash_point
from pipeledger.locks import LockHeldError, exclusive
from pipeledger.postgres.outcome import Outcome
from pipeledger.settings import Settings

if TYPE_CHECKING:
    from pipeledger.postgres.publishing import Staged

STORAGE_VERSION = "v1.5.0"
CURRENT = "current.duckdb"
KEPT = 3
_BUILD_FILE = re.compile(r"\d{8}T\d{12}-[0-9a-f]{4}\.duckdb")
OF_RUNS = frozenset({"mart_source_health"})
"""Marts with a row per sync: they differ after every run, and say nothing of the business."""
_META = ("sync_runs", "source_status", "build_inputs")


class ChecksFailedError(PipeledgerError):
    """Checks of severity error fail: what was built is neither published nor closed."""


class SupersededError(LockHeldError):
    """The warehouse holds another build by now, whose own run publishes it (exit 4)."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A published build: its file, rows and checksum per mart, seconds it took."""

    build_id: str
    path: Path
    current: Path
    rows: Mapping[str, int]
    checksums: Mapping[str, str]
    postgres: Outcome | None = None
    """None where no PostgreSQL is configured; its failure does not hold back the file."""

    @property
    def exit_code(self) -> int:
        """0, or how the publication in PostgreSQL ended."""
        return 0 if self.postgres is None else self.postgres.exit_code


def publish(
    settings: Settings, report: BuildReport, *, lock_wait_seconds: float = LOCK_WAIT_SECONDS
) -> Publication:
    """Copy the marts of a checked build into serving and point readers at them.

    Raises:
        ChecksFailedError: the build has error-level failures; the last good file stays.
        LockHeldError: another build or publication is running.
        SupersededError: another build came between this one and its publication.
    """
    if report.errors:
        raise ChecksFailedError(
            f"build {report.build_id} failed {len(report.errors)} check(s) and is not published"
        )
    folder = settings.paths.serving
    folder.mkdir(parents=True, exist_ok=True)
    with (
        warehouse_lock(settings, lock_wait_seconds),
        exclusive(settings.paths.state / "serving.lock", "the serving folder", 30.0),
    ):
        held = build_in(report.warehouse)
        if held not in (None, report.build_id):
            raise SupersededError(
                f"build {report.build_id} was replaced by build {held} before it was published. "
                "The run that made that one publishes it, if its checks pass."
            )
        _clean(folder)
        aside = folder / f".{report.build_id}.partial"
        rows, checksums = _write(aside, settings, report)
        crash_point("before-flip")
        final = folder / f"{report.build_id}.duckdb"
        aside.chmod(0o644)
        _sync_to_disk(aside)
        aside.replace(final)
        current = folder / CURRENT
        with _second(settings, final, report.build_id) as second:
            flip(current, final)
            crash_point("after-flip")
            outcome = second.commit() if second is not None else None
        _retire(folder, current)
    return Publication(report.build_id, final, current, rows, checksums, outcome)


def flip(current: Path, target: Path) -> None:
    """Point readers at a file of the same folder, in one step."""
    link = current.with_name(f".{CURRENT}.{os.getpid()}")
    link.unlink(missing_ok=True)
    link.symlink_to(target.name)
    link.replace(current)
    _sync_to_disk(current.parent)


def _second(
    settings: Settings, file: Path, build_id: str
) -> "AbstractContextManager[Staged | None]":
    """The build in PostgreSQL, uncommitted; None where none is configured."""
    if settings.serving.postgres is None:
        return nullcontext()
    from pipeledger.postgres.publishing import staged

    return staged(settings.serving.postgres, file, build_id)


def checksum(db: duckdb.DuckDBPyConnection, schema: str, table: str) -> tuple[int, str]:
    """Rows of a table and a checksum of their values, in any order.

    ``raw_version_id`` names a sync and so differs between two loads of the same data; it is
    left out, so that equal numbers have equal checksums.
    """
    # The catalogue's own list of columns binds every view of the warehouse to answer for one table.
    columns = [str(row[0]) for row in db.execute(f'describe {schema}."{table}"').fetchall()]
    chosen = ", ".join(f'"{name}"' for name in columns if name != "raw_version_id")
    found = db.execute(
        f"select count(*), sum(cast(hash({chosen}) >> 8 as hugeint)) "  # noqa: S608 - names of ours
        f'from {schema}."{table}"'
    ).fetchone()
    count, total = found if found is not None else (0, 0)
    return int(count), f"{int(total or 0):032x}"


def _write(
    path: Path, settings: Settings, report: BuildReport
) -> tuple[dict[str, int], dict[str, str]]:
    path.unlink(missing_ok=True)
    comments = dict(_descriptions(report.warehouse.parent / "dbt" / "manifest.json"))
    rows: dict[str, int] = {}
    checksums: dict[str, str] = {}
    db = duckdb.connect(":memory:")
    try:
        db.execute("set timezone = 'UTC'")
        db.execute(f"attach '{_quoted(path)}' as target (storage_version '{STORAGE_VERSION}')")
        db.execute(f"attach '{_quoted(report.warehouse)}' as warehouse (read_only)")
        db.execute("create schema target.marts")
        db.execute("create schema target.meta")
        tables = db.execute(
            "select table_name from duckdb_tables() where database_name = 'warehouse' "
            "and schema_name = 'marts' order by table_name"
        ).fetchall()
        views = db.execute(
            "select view_name, sql from duckdb_views() where database_name = 'warehouse' "
            "and schema_name = 'marts' order by view_name"
        ).fetchall()
        db.execute("use warehouse")
        for (name,) in tables:
            rows[name], checksums[name] = checksum(db, "marts", name)
            db.execute(
                f'create table target.marts."{name}" as select * from warehouse.marts."{name}"'  # noqa: S608 - names of ours
            )
            crash_point("while-publishing")
        for name in _META:
            db.execute(
                f"create table target.meta.{name} as select * from warehouse.meta.{name}"  # noqa: S608 - names of ours
            )
        _write_build(db, settings, report, rows, checksums)
        db.execute("use target")
        # As one transaction: each of the thousand comments would wait for the disk.
        db.execute("begin")
        for name, sql in views:
            # It names its tables by schema alone, and finds those of the file it is in.
            db.execute(sql)
            _comment(db, name, comments.get(name), kind="view")
        for name in rows:
            _comment(db, name, comments.get(name))
        db.execute("commit")
        db.execute("use memory")
        db.execute("detach warehouse")
        db.execute("checkpoint target")
        db.execute("detach target")
    finally:
        db.close()
    return rows, checksums


def _write_build(
    db: duckdb.DuckDBPyConnection,
    settings: Settings,
    report: BuildReport,
    rows: Mapping[str, int],
    checksums: Mapping[str, str],
) -> None:
    db.execute(
        "create table target.meta.builds (build_id varchar, as_of timestamptz, "
        "built_at timestamptz, reporting_currency varchar, n_models bigint, n_checks bigint, "
        "n_warnings bigint)"
    )
    db.execute(
        "insert into target.meta.builds values (?, ?, ?, ?, ?, ?, ?)",
        [
            *(report.build_id, report.as_of, datetime.now(UTC)),
            *(settings.company.reporting_currency, report.models, report.checks),
            len(report.warnings),
        ],
    )
    db.execute("create table target.meta.marts (mart varchar, n_rows bigint, checksum varchar)")
    db.executemany(
        "insert into target.meta.marts values (?, ?, ?)",
        [(name, rows[name], checksums[name]) for name in rows] or [("", 0, "")],
    )
    db.execute(
        "create table target.meta.check_failures "
        "(check_name varchar, severity varchar, n_rows bigint, message varchar)"
    )
    for failure in report.failures:
        db.execute(
            "insert into target.meta.check_failures values (?, ?, ?, ?)",
            [failure.name, failure.severity, failure.rows, failure.message],
        )


def _descriptions(manifest: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Model name and its manifest entry, for the marts."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    for node in nodes.values():
        if node["resource_type"] == "model" and node.get("schema") == "marts":
            yield node["name"], node


def _comment(
    db: duckdb.DuckDBPyConnection, name: str, node: dict[str, Any] | None, kind: str = "table"
) -> None:
    if node is None:
        return
    db.execute(f"comment on {kind} marts.\"{name}\" is '{_quoted(node['description'])}'")
    for column in node["columns"].values():
        text = _quoted(column.get("description", ""))
        db.execute(f'comment on column marts."{name}"."{column["name"]}" is \'{text}\'')


def _clean(folder: Path) -> None:
    """Remove what a killed publication left behind."""
    for path in [*folder.glob(".*.partial"), *folder.glob(".*.partial.wal")]:
        path.unlink(missing_ok=True)
    for path in folder.glob(f".{CURRENT}.*"):
        path.unlink(missing_ok=True)
    current = folder / CURRENT
    linked = current.readlink().name if current.is_symlink() else ""
    for path in build_files(folder):
        # Newer than what readers see: its publication was killed before the flip.
        if path.name > linked:
            path.unlink(missing_ok=True)


def build_files(folder: Path) -> list[Path]:
    """The kept publications, oldest first."""
    return sorted(path for path in folder.iterdir() if _BUILD_FILE.fullmatch(path.name))


def _retire(folder: Path, current: Path) -> None:
    """Keep the last builds; a reader that holds an older file open keeps its data."""
    keep = str(current.readlink())
    for path in build_files(folder)[:-KEPT]:
        if path.name != keep:
            path.unlink(missing_ok=True)


def _sync_to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _quoted(text: Path | str) -> str:
    return str(text).replace("'", "''")
