"""Read a publication: a connection per query that can only read that file, parameters bound."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from connectors.base.errors import PipeledgerError
from dashboard.access import Viewer, narrow
from pipeledger.publish import CURRENT, build_files
from pipeledger.settings import Settings

_NAMED = re.compile(r"\$([a-z_]+)")


class Reader:
    """Answers queries over one publication, with the rows that the viewer may see."""

    def __init__(self, path: Path, viewer: Viewer) -> None:
        self.path = path
        self.viewer = viewer

    @contextmanager
    def _connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(str(self.path), read_only=True) as db:
            db.execute("set timezone = 'UTC'")
            if self.viewer.teams is not None:
                narrow(db, self.viewer.teams)
            # Marts are named without their schema, so that a narrowed view comes first.
            db.execute("set search_path = 'marts'")
            db.execute("set enable_external_access = false")
            db.execute("set lock_configuration = true")
            yield db

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a query; of the parameters it takes those that it names."""
        with self.relation(sql, parameters or {}) as found:
            return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]

    @contextmanager
    def relation(
        self, sql: str, parameters: Mapping[str, Any]
    ) -> Iterator[duckdb.DuckDBPyRelation]:
        """The query as a relation that lives for the block."""
        with self._connected() as db:
            named = {name: parameters[name] for name in _NAMED.findall(sql)}
            yield db.sql(sql, params=named) if named else db.sql(sql)


def publications(settings: Settings) -> list[tuple[str, datetime, Path]]:
    """Kept publications, the newest first: build id, as-of, file."""
    found = []
    for path in reversed(build_files(settings.paths.serving)):
        with duckdb.connect(str(path), read_only=True) as db:
            db.execute("set timezone = 'UTC'")
            row = db.execute("select build_id, as_of from meta.builds").fetchone()
        if row is not None:
            found.append((row[0], row[1], path))
    return found


def open_reader(settings: Settings, edition: str, viewer: Viewer) -> Reader:
    """A reader of the kept publication of that id, or of the current one.

    Raises:
        PipeledgerError: nothing is published, or that publication is no longer kept.
    """
    link = settings.paths.serving / CURRENT
    if not link.exists():
        raise PipeledgerError("nothing is published")
    if not edition:
        return Reader(link.resolve(), viewer)
    for path in build_files(settings.paths.serving):
        if path.stem == edition:
            return Reader(path, viewer)
    raise PipeledgerError(f"the publication {edition} is no longer kept")
