"""Read a publication: connections that can only read it, parameters bound.

A publication is attached read-only to an instance in memory that is then cut off from everything
else; each request gets a connection of its own to it. Opening costs two milliseconds that way.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import duckdb

from connectors.base.errors import PipeledgerError
from dashboard.access import Viewer, narrow
from pipeledger.publish import CURRENT, build_files
from pipeledger.settings import Settings

_NAMED = re.compile(r"\$([a-z_]+)")
_attached: dict[Path, duckdb.DuckDBPyConnection] = {}
_attaching = threading.Lock()


def _instance(path: Path) -> duckdb.DuckDBPyConnection:
    """The instance that holds a publication; those of files that are gone are closed."""
    with _attaching:
        for gone in [known for known in _attached if not known.exists()]:
            _attached.pop(gone).close()
        if path not in _attached:
            db = duckdb.connect(":memory:")
            quoted = str(path).replace("'", "''")
            db.execute(f"attach '{quoted}' as published (read_only)")
            db.execute("set global timezone = 'UTC'")
            # From here on it reads no other file and no address, and cannot be told otherwise.
            db.execute("set enable_external_access = false")
            _attached[path] = db
        return _attached[path]


class Reader(Protocol):
    """Answers the queries of one request, with the rows that the viewer may see."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a query; of the parameters it takes those that it names."""

    def relation(
        self, sql: str, parameters: Mapping[str, Any]
    ) -> AbstractContextManager[duckdb.DuckDBPyRelation]:
        """The query as a relation that lives for the block."""

    def close(self) -> None:
        """Nothing more is asked."""


class FileReader:
    """Reads a serving file."""

    def __init__(self, path: Path, viewer: Viewer) -> None:
        self.path = path
        self.viewer = viewer

    @cached_property
    def _db(self) -> duckdb.DuckDBPyConnection:
        db = _instance(self.path).cursor()
        # Marts are named without their schema, so that a narrowed view comes first.
        db.execute("use published.marts")
        if self.viewer.teams is not None:
            narrow(db, self.viewer.teams)
        return db

    def close(self) -> None:
        """The instance stays; only this request's connection to it ends."""
        self._db.close()

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a query; of the parameters it takes those that it names."""
        given = parameters or {}
        cursor = self._db.execute(sql, {name: given[name] for name in _NAMED.findall(sql)})
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @contextmanager
    def relation(
        self, sql: str, parameters: Mapping[str, Any]
    ) -> Iterator[duckdb.DuckDBPyRelation]:
        """The query as a relation that lives for the block."""
        named = {name: parameters[name] for name in _NAMED.findall(sql)}
        yield self._db.sql(sql, params=named) if named else self._db.sql(sql)


def publications(settings: Settings) -> list[tuple[str, datetime]]:
    """Kept publications, the newest first: build id and as-of; PostgreSQL holds one."""
    if settings.dashboard.postgres is not None:
        return []
    found = []
    for path in reversed(build_files(settings.paths.serving)):
        db = _instance(path).cursor()
        row = db.execute("select build_id, as_of from published.meta.builds").fetchone()
        if row is not None:
            found.append((row[0], row[1]))
    return found


def open_reader(settings: Settings, edition: str, viewer: Viewer) -> Reader:
    """A reader of the kept publication of that id, or of the current one.

    Raises:
        PipeledgerError: nothing is published, or that publication is no longer kept.
        psycopg.Error: PostgreSQL cannot be asked.
    """
    if settings.dashboard.postgres is not None:
        from dashboard.postgres import PostgresReader

        if edition:
            raise PipeledgerError(f"PostgreSQL holds the newest publication, not {edition}")
        return PostgresReader(settings.dashboard.postgres, viewer)
    link = settings.paths.serving / CURRENT
    if not link.exists():
        raise PipeledgerError("nothing is published")
    if not edition:
        return FileReader(link.resolve(), viewer)
    for path in build_files(settings.paths.serving):
        if path.stem == edition:
            return FileReader(path, viewer)
    raise PipeledgerError(f"the publication {edition} is no longer kept")
