"""Which fields a source's records have, sync by sync, and what is new, gone or retyped.

The fields of a sync are read once and kept in ``meta.stream_fields``: a build over 1 % of
news looks at 1 % of the payloads. Objects are looked into one level deep, where vendors keep
custom fields.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import duckdb

from pipeledger.empty_warehouse import STAGING
from pipeledger.sql import insert, literal

ENOUGH = 20
"""Versions from which on a field's absence says something."""
STREAM_FIELDS: Mapping[str, str] = {
    "source": "VARCHAR",
    "stream": "VARCHAR",
    "connection": "VARCHAR",
    "sync_id": "VARCHAR",
    "field": "VARCHAR",
    "kind": "VARCHAR",
    "present": "BIGINT",
    "versions": "BIGINT",
}
_KINDS = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "ARRAY": "list",
    "OBJECT": "object",
    "NULL": "null",
}
"""By the names of json_type, whose others are numbers."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What differs from all earlier syncs: ``+new``, ``-gone``, ``field: text > number``.

    ``mapped`` are the gone and retyped ones that a staging model reads.
    """

    changes: tuple[str, ...] = ()
    mapped: tuple[str, ...] = ()


@dataclass(slots=True)
class _Known:
    """A field over one sync or several: what it held beside null, and in how many versions."""

    kinds: set[str] = field(default_factory=set)
    present: int = 0

    def add(self, kinds: set[str], present: int) -> None:
        """Take in what another look showed."""
        self.kinds |= kinds
        self.present += present


def note_fields(
    db: duckdb.DuckDBPyConnection,
    source: str,
    stream: str,
    versions: Mapping[tuple[str, str], int],
) -> None:
    """Keep the fields of syncs that are not known yet.

    ``versions`` counts, by connection and sync, the versions with content; a sync whose count
    has grown is read again.
    """
    typed = ", ".join(f"{name} {kind}" for name, kind in STREAM_FIELDS.items())
    db.execute(f"create table if not exists meta.stream_fields ({typed})")
    known = {
        (str(connection), str(sync_id)): int(count)
        for connection, sync_id, count in db.execute(
            "select connection, sync_id, max(versions) from meta.stream_fields "
            "where source = ? and stream = ? group by all",
            [source, stream],
        ).fetchall()
    }
    stale = sorted(known.items() - versions.items())
    for (connection, sync_id), _ in stale:
        db.execute(
            "delete from meta.stream_fields where source = ? and stream = ? "
            "and connection = ? and sync_id = ?",
            [source, stream, connection, sync_id],
        )
    for (connection, sync_id), count in sorted(versions.items() - known.items()):
        rows = [
            (source, stream, connection, sync_id, name, kind, present, count)
            for name, kind, present in _fields(db, f"{source}__{stream}", connection, sync_id)
        ]
        insert(db, "meta.stream_fields", rows)


def _fields(
    db: duckdb.DuckDBPyConnection, table: str, connection: str, sync_id: str
) -> Iterator[tuple[str, str, int]]:
    """(field, kind, in how many versions) of one sync's payloads; a field may have several."""
    of_sync = (
        f'from raw."{table}" where connection = ? and sync_id = ? '
        "and change = 'upsert' and payload is not null"
    )

    def keys(path: str) -> list[str]:
        rows = db.execute(
            f"select distinct unnest(json_keys(payload, ?)) {of_sync} order by all",
            [path, connection, sync_id],
        ).fetchall()
        # A quote cannot be part of a path; no staging model reads such a name.
        return [str(name) for (name,) in rows if '"' not in name]

    def kinds(paths: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
        # All paths at once: a payload is parsed once and not once per field.
        listed = "[" + ", ".join(literal(path) for path in paths.values()) + "]"
        names = "[" + ", ".join(literal(name) for name in paths) + "]"
        rows = db.execute(
            f"select name, kind, count(*) from (select unnest({names}) as name, "  # noqa: S608 - literals
            f"unnest(json_type(payload, {listed})) as kind {of_sync}) as told "
            "where kind is not null group by all order by all",
            [connection, sync_id],
        ).fetchall()
        for name, kind, count in rows:
            yield str(name), _KINDS.get(kind, "number"), int(count)

    top = {name: f'$."{name}"' for name in keys("$")}
    if not top:
        return
    found = list(kinds(top))
    yield from found
    parents = {name for name, kind, _ in found if kind == "object"}
    below = {
        f"{parent}.{name}": f'{top[parent]}."{name}"'
        for parent in sorted(parents)
        for name in keys(top[parent])
    }
    if below:
        yield from kinds(below)


def drifts(
    db: duckdb.DuckDBPyConnection, source: str, stream: str
) -> Mapping[tuple[str, str], Drift]:
    """What each sync changed in the fields of a stream, by connection and sync.

    The first syncs of a connection have nothing to differ from, until ``ENOUGH`` versions
    are known.
    """
    rows = db.execute(
        "select connection, sync_id, field, kind, present, versions from meta.stream_fields "
        "where source = ? and stream = ? order by connection, sync_id, field",
        [source, stream],
    ).fetchall()
    syncs: dict[tuple[str, str], dict[str, _Known]] = {}
    counts: dict[tuple[str, str], int] = {}
    for connection, sync_id, name, kind, present, versions in rows:
        one = syncs.setdefault((connection, sync_id), {}).setdefault(name, _Known())
        one.add({kind} - {"null"}, present)
        counts[connection, sync_id] = versions
    found: dict[tuple[str, str], Drift] = {}
    known: dict[str, dict[str, _Known]] = {}
    total: dict[str, int] = {}
    for key, fields in syncs.items():
        before = known.setdefault(key[0], {})
        if total.get(key[0], 0) >= ENOUGH:
            found[key] = _drift(source, before, total[key[0]], fields, counts[key])
        for name, shown in fields.items():
            before.setdefault(name, _Known()).add(shown.kinds, shown.present)
        total[key[0]] = total.get(key[0], 0) + counts[key]
    return found


def _drift(
    source: str,
    before: Mapping[str, _Known],
    total: int,
    fields: Mapping[str, _Known],
    count: int,
) -> Drift:
    new = [name for name in fields if name not in before]
    gone = [
        name
        for name, one in before.items()
        if count >= ENOUGH
        and one.present == total
        and name not in fields
        # A level that is gone as a whole is told once.
        and not _below(name, fields)
    ]
    retyped = {
        name: f"{name}: {'/'.join(sorted(before[name].kinds))} > {'/'.join(sorted(others))}"
        for name, one in fields.items()
        if name in before and before[name].kinds and (others := one.kinds - before[name].kinds)
    }
    changes = (*(f"+{one}" for one in new), *(f"-{one}" for one in gone), *retyped.values())
    mapped = [one for one in (*gone, *retyped) if _last(one) in _read_by_staging(source)]
    return Drift(changes, tuple(mapped) if count >= ENOUGH else ())


def _below(name: str, fields: Iterable[str]) -> bool:
    """Is the field inside an object that is itself not there any more?"""
    parent, dot, _ = name.rpartition(".")
    return bool(dot) and parent not in fields


def _last(name: str) -> str:
    return name.rpartition(".")[2]


@cache
def _read_by_staging(source: str) -> frozenset[str]:
    """Words of a source's staging models, among them every field that they read."""
    texts = (path.read_text(encoding="utf-8") for path in (STAGING / source).glob("*.sql"))
    return frozenset(word for text in texts for word in re.findall(r"\w+", text))
