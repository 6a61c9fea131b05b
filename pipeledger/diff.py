"""Diff: what changed in a mart between two publications or two days, and why.

The rows of both sides meet by the mart's key. A row that differs is explained by the landed
versions behind it that only one side used; where none differ, by what else moved: the instant
that the builds speak of, records that landed for streams the mart is made of, or the models.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from connectors.base.errors import PipeledgerError
from pipeledger.editions import Edition
from pipeledger.landing import Landing
from pipeledger.lineage import key_of, load_manifest, streams_above
from pipeledger.serving import rows
from pipeledger.settings import Settings
from pipeledger.trace import versions_behind

_NOT_COMPARED = ("raw_version_id", "as_of_date")
"""Which version a row came from is a cause, and the day of the report no finding."""


def diff(
    settings: Settings, landing: Landing, mart: str, older: Edition, newer: Edition, limit: int
) -> dict[str, Any]:
    """Compare a mart on two sides.

    Returns:
        ``added``, ``removed``, ``changed``, ``equal``: numbers of rows; ``columns``: those that
        only one side has; ``rows``: the first ``limit`` rows that differ, each with its key, the
        columns that differ (old and new value) and its ``causes``; ``moved``: what moved
        between the sides as a whole.

    Raises:
        PipeledgerError: both sides are one, a side does not have the mart, or no test says what
            the mart's key is.
    """
    if older.path == newer.path:
        raise PipeledgerError(f"both sides are {newer.name}: there is nothing to compare")
    manifest = load_manifest(settings.paths.warehouse)
    key = key_of(manifest, mart)
    with _both(older, newer) as db:
        columns = _common_columns(db, mart, older, newer)
        if key is None or key not in columns.common:
            raise PipeledgerError(f"{mart} has no column that a dbt test calls unique")
        compared = [name for name in columns.common if name not in (key, *_NOT_COMPARED)]
        counts = _counts(db, mart, key, compared)
        found = _differing(db, mart, key, columns.common, compared, limit)
    result = {
        "mart": mart,
        "key_column": key,
        "from": {"name": older.name, "as_of": older.as_of},
        "to": {"name": newer.name, "as_of": newer.as_of},
        **counts,
        "columns": {"only_from": columns.only_older, "only_to": columns.only_newer},
        "moved": _moved(landing, streams_above(manifest, mart), older, newer),
    }
    with _opened(older) as before, _opened(newer) as after:
        result["rows"] = [_explained(row, landing, mart, before, after) for row in found]
    return result


@dataclass(frozen=True, slots=True)
class _Columns:
    common: list[str]
    only_older: list[str]
    only_newer: list[str]


@contextmanager
def _both(older: Edition, newer: Edition) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as db:
        db.execute("set timezone = 'UTC'")
        for alias, side in (("older", older), ("newer", newer)):
            quoted = str(side.path).replace("'", "''")
            db.execute(f"attach '{quoted}' as {alias} (read_only)")
        yield db


@contextmanager
def _opened(side: Edition) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(side.path), read_only=True) as db:
        db.execute("set timezone = 'UTC'")
        yield db


def _common_columns(
    db: duckdb.DuckDBPyConnection, mart: str, older: Edition, newer: Edition
) -> _Columns:
    names: list[list[str]] = []
    for alias, side in (("older", older), ("newer", newer)):
        found = rows(
            db,
            "select column_name from duckdb_columns() where database_name = ? "
            "and schema_name = 'marts' and table_name = ? order by column_index",
            [alias, mart],
        )
        if not found:
            raise PipeledgerError(f"there is no mart {mart} in {side.name}")
        names.append([row["column_name"] for row in found])
    before, after = names
    return _Columns(
        [name for name in after if name in before],
        [name for name in before if name not in after],
        [name for name in after if name not in before],
    )


def _joined(mart: str, key: str) -> str:
    return (
        f'older.marts."{mart}" as before full outer join newer.marts."{mart}" as after '
        f'on before."{key}" = after."{key}"'
    )


def _differs(compared: Sequence[str]) -> str:
    tests = [f'before."{name}" is distinct from after."{name}"' for name in compared]
    return " or ".join(tests) or "false"


def _counts(
    db: duckdb.DuckDBPyConnection, mart: str, key: str, compared: Sequence[str]
) -> dict[str, int]:
    only_after, only_before = f'before."{key}" is null', f'after."{key}" is null'
    (found,) = rows(
        db,
        f"select count(*) filter (where {only_after}) as added, "  # noqa: S608 - names from the catalogue
        f"count(*) filter (where {only_before}) as removed, "
        f"count(*) filter (where not {only_after} and not {only_before} "
        f"and ({_differs(compared)})) as changed, count(*) as total "
        f"from {_joined(mart, key)}",
    )
    total = found.pop("total")
    return {**found, "equal": total - sum(found.values())}


def _differing(
    db: duckdb.DuckDBPyConnection,
    mart: str,
    key: str,
    common: Sequence[str],
    compared: Sequence[str],
    limit: int,
) -> list[dict[str, Any]]:
    """The first rows that differ, by key: both sides whole, and the names that differ."""
    sides = ", ".join(
        f'case when {alias}."{key}" is not null then struct_pack({fields}) end as {alias}'
        for alias in ("before", "after")
        for fields in [", ".join(f'"{name}" := {alias}."{name}"' for name in common)]
    )
    found = rows(
        db,
        f'select coalesce(before."{key}", after."{key}") as key, {sides} '  # noqa: S608 - names from the catalogue
        f"from {_joined(mart, key)} "
        f'where before."{key}" is null or after."{key}" is null or {_differs(compared)} '
        "order by key limit ?",
        [limit],
    )
    for row in found:
        before, after = row["before"], row["after"]
        row["change"] = "added" if before is None else "removed" if after is None else "changed"
        row["columns"] = (
            {
                name: {"from": before[name], "to": after[name]}
                for name in compared
                if before[name] != after[name]
            }
            if before is not None and after is not None
            else {}
        )
    return found


def _explained(
    row: dict[str, Any],
    landing: Landing,
    mart: str,
    before: duckdb.DuckDBPyConnection,
    after: duckdb.DuckDBPyConnection,
) -> dict[str, Any]:
    """The row with the landed records behind it of which the sides used another version."""
    used: list[dict[tuple[str, str, str, str], dict[str, Any]]] = []
    for db, side in ((before, row["before"]), (after, row["after"])):
        steps = [] if side is None else versions_behind(db, landing, mart, [side])
        used.append(
            {
                (step["source"], step["stream"], step["connection"], step["record_id"]): version
                for step in steps
                for version in step["versions"]
                if version["is_used"]
            }
        )
    older, newer = used
    causes = [
        _cause(record, older.get(record), newer.get(record))
        for record in sorted(older.keys() | newer.keys())
        if _hash(older.get(record)) != _hash(newer.get(record))
    ]
    return {**row, "causes": causes}


def _hash(version: dict[str, Any] | None) -> str | None:
    return None if version is None else str(version["payload_hash"])


def _cause(
    record: tuple[str, str, str, str], old: dict[str, Any] | None, new: dict[str, Any] | None
) -> dict[str, Any]:
    source, stream, connection, record_id = record
    before: dict[str, Any] = old["fields"] if old else {}
    after: dict[str, Any] = new["fields"] if new else {}
    return {
        "source": source,
        "stream": stream,
        "connection": connection,
        "record_id": record_id,
        "observed_at": new["observed_at"] if new else None,
        "change": new["change"] if new else "no longer part of the row",
        "fields": {
            name: {"from": before.get(name), "to": after.get(name)}
            for name in sorted(before.keys() | after.keys())
            if old and new and before.get(name) != after.get(name)
        },
    }


def _moved(
    landing: Landing, streams: set[tuple[str, str]], older: Edition, newer: Edition
) -> list[dict[str, Any]]:
    """What landed between the two instants, by stream that the mart is made of."""
    first, last = sorted((older.as_of, newer.as_of))
    return [
        {"source": source, "stream": stream, "records": found}
        for source, stream in sorted(streams & set(landing.streams()))
        if (found := landing.records_between(source, stream, first, last))
    ]
