"""The landing store: append versions, keep checkpoints, pin what a build reads."""

import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
from deltalake import DeltaTable

from connectors.base.errors import ConfigError
from connectors.base.stream import Record, Rejected
from pipeledger.landing.canonical import storable_text
from pipeledger.landing.checkpoints import Checkpoint, StreamStatus, checkpoint_of
from pipeledger.landing.newest import Newest, Room, Rooms
from pipeledger.landing.suppression import load as load_suppression
from pipeledger.landing.tables import (
    CHECKPOINTS,
    QUARANTINE,
    VERSIONS,
    AppendTable,
    add_actions,
    compact,
    files_of,
    open_table,
)
from pipeledger.landing.writer import MAX_RECORD, AppendReport, Writer
from pipeledger.retention import Keeps

COMPACT_ABOVE = 64
"""Files of a table above which a finished sync merges them."""
RETENTION = timedelta(days=7)
_NAME = re.compile(r"_?[a-z][a-z0-9_]*")
_UNREADABLE = re.compile(r"[%*?\[\]]")
_NEWEST_FIRST = "sync_id desc, sequence desc"


@cache
def _reader() -> duckdb.DuckDBPyConnection:
    """An empty database of this process to ask files with: to open one takes 12 ms.

    It keeps nothing of what it read.
    """
    return duckdb.connect(":memory:", config={"enable_external_file_cache": False})


@dataclass(frozen=True, slots=True)
class Pin:
    """One stream at one Delta version: the files that a build reads, and their rows."""

    source: str
    stream: str
    version: int
    files: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Version:
    """One landed version, for ``trace``."""

    connection: str
    record_id: str
    payload: str | None
    payload_hash: str
    change: str
    source_updated_at: datetime | None
    observed_at: datetime
    position: int
    sync_id: str


class Landing:
    """The Delta tables below one folder of this machine; ``keeps`` says what is too old to land."""

    def __init__(self, root: str | Path, keeps: Keeps | None = None) -> None:
        self.root = str(root).rstrip("/")
        self.keeps = keeps or {}
        if _UNREADABLE.search(self.root):
            raise ConfigError(
                f"the landing path {self.root} holds one of % * ? [ ], which the table readers "
                "take for patterns. Choose another folder."
            )
        self._checkpoints = AppendTable(self._uri("_checkpoints"), CHECKPOINTS)
        self._quarantine = AppendTable(self._uri("_quarantine"), QUARANTINE)
        self._rooms = Rooms(Path(self.root) / "_scratch")

    def _uri(self, *parts: str) -> str:
        for part in parts:
            if not _NAME.fullmatch(part):
                raise ValueError(f"{part!r} is no name of a source, stream or connection")
        return "/".join((self.root, *parts))

    def _files(self, *parts: str) -> list[str]:
        table = open_table(self._uri(*parts))
        return [] if table is None else files_of(table)

    def prepare(self) -> None:
        """Make the root, private to its owner.

        Raises:
            ConfigError: it cannot be written; names the path.
        """
        root = Path(self.root)
        try:
            if not root.exists():
                root.mkdir(parents=True, mode=0o700)
            probe = root / f".write-{uuid.uuid4().hex}"
            probe.touch(mode=0o600)
            probe.unlink()
        except OSError as error:
            raise ConfigError(f"cannot write to the landing folder {root}: {error}") from error

    @contextmanager
    def writer(
        self,
        source: str,
        stream: str,
        connection: str,
        *,
        sync_id: str,
        volatile: frozenset[str] = frozenset(),
        trust_clock: bool = True,
    ) -> Iterator[Writer]:
        """A writer for one stream of one connection, for the length of a sync."""
        self._uri(connection)
        uri = self._uri(source, stream)
        suppression = load_suppression(self.root)
        versions = AppendTable(uri, VERSIONS, ["connection"])
        target = _Target(self, versions, (source, stream, connection), sync_id)
        files = self._files(source, stream)
        with self.room(connection) as room, Newest(files, connection, room) as newest:
            yield Writer(
                target,
                newest,
                connection,
                sync_id=sync_id,
                volatile=volatile,
                trust_clock=trust_clock,
                suppression=suppression if suppression.hashes else None,
                place=f"{source}:{stream}:{connection}",
                keep=self.keeps.get((source, stream)),
            )

    def room(self, connection: str) -> AbstractContextManager[Room]:
        """Where the newest versions of a connection's streams are held, for the whole of a sync."""
        return self._rooms.room(connection)

    def append(
        self,
        source: str,
        stream: str,
        connection: str,
        records: Sequence[Record],
        sync_id: str,
        volatile: frozenset[str] = frozenset(),
    ) -> AppendReport:
        """Append one batch; a sync of many batches keeps a ``writer``."""
        with self.writer(source, stream, connection, sync_id=sync_id, volatile=volatile) as writer:
            return writer.append(records)

    def checkpoint(self, *rows: Checkpoint) -> None:
        """Store checkpoints in one commit. Their batches must be durable before."""
        data = pa.Table.from_pylist(
            [
                {
                    **asdict(row),
                    "cursor": None
                    if row.cursor is None
                    else msgspec.json.encode(row.cursor).decode(),
                }
                for row in rows
            ],
            schema=CHECKPOINTS,
        )
        self._checkpoints.append(data)

    def last_checkpoint(self, source: str, stream: str, connection: str) -> Checkpoint | None:
        """The newest checkpoint of a stream: its resume point; None before the first."""
        found = self.checkpoints(source=source, stream=stream, connection=connection, last=True)
        return found[0] if found else None

    def checkpoints(
        self,
        *,
        source: str | None = None,
        stream: str | None = None,
        connection: str | None = None,
        last: bool = False,
        lenient: bool = False,
    ) -> list[Checkpoint]:
        """Checkpoints in order, narrowed as asked; with ``last`` one per stream and connection.

        Raises:
            ConfigError: a stored cursor is damaged; with ``lenient`` it is left out (None).
        """
        tests = [("source", source), ("stream", stream), ("connection", connection)]
        wanted = [(name, value) for name, value in tests if value is not None]
        where = " and ".join(f"{name} = ?" for name, _ in wanted) or "true"
        newest = (
            "qualify row_number() over "
            f"(partition by source, stream, connection order by {_NEWEST_FIRST}) = 1"
            if last
            else ""
        )
        rows = self._select(
            ("_checkpoints",),
            CHECKPOINTS.names,
            f"where {where} {newest} order by sync_id, sequence, source, connection, stream",
            [value for _, value in wanted],
        )
        return [checkpoint_of(row, lenient=lenient) for row in rows]

    def statuses(self) -> list[StreamStatus]:
        """Where every stream of every connection stands, in order of their names."""
        newest_of_each_state = self._select(
            ("_checkpoints",),
            CHECKPOINTS.names,
            "qualify row_number() over (partition by source, stream, connection, state "
            f"order by {_NEWEST_FIRST}) = 1 order by source, connection, stream, {_NEWEST_FIRST}",
            [],
        )
        rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        ends: dict[tuple[str, str, str], datetime] = {}
        for row in newest_of_each_state:
            key = (row["source"], row["connection"], row["stream"])
            rows.setdefault(key, row)
            if row["state"] == "complete":
                ends[key] = row["at"]
        return [
            StreamStatus(
                *key,
                row["state"],
                row["at"],
                ends.get(key),
                row["seen"],
                row["appended"],
                row["error"],
            )
            for key, row in rows.items()
        ]

    def quarantine(
        self,
        source: str,
        stream: str,
        connection: str,
        rejected: Sequence[Rejected],
        *,
        sync_id: str,
        observed_at: datetime,
    ) -> None:
        """Set records aside with their reason and raw text (its first megabyte)."""
        if not rejected:
            return
        rows = [
            {
                "source": source,
                "connection": connection,
                "stream": stream,
                "sync_id": sync_id,
                "record_id": one.record_id,
                "reason": one.reason,
                "raw": storable_text(one.raw[:MAX_RECORD].decode("utf-8", "replace")),
                "observed_at": observed_at,
            }
            for one in map(self._clean, rejected)
        ]
        self._quarantine.append(pa.Table.from_pylist(rows, schema=QUARANTINE))

    def _clean(self, rejected: Rejected) -> Rejected:
        """What is set aside names no erased person either."""
        known = load_suppression(self.root)
        if not known.hashes:
            return rejected
        raw = known.text(rejected.raw.decode("utf-8", "replace")).encode()
        record_id = rejected.record_id and known.text(rejected.record_id)
        return replace(rejected, record_id=record_id, raw=raw)

    def quarantined(self) -> list[dict[str, Any]]:
        """Every record set aside, oldest first."""
        return self._select(("_quarantine",), QUARANTINE.names, "order by observed_at, sync_id", [])

    def streams(self) -> list[tuple[str, str]]:
        """Every (source, stream) that has landed, in order."""
        return [(source, stream) for source, stream, _ in self._tables()]

    def _tables(self) -> Iterator[tuple[str, str, DeltaTable]]:
        known = self._select(("_checkpoints",), ["source", "stream"], "group by all", [])
        found = {(row["source"], row["stream"]) for row in known}
        logs = Path(self.root).glob("[a-z]*/[a-z]*/_delta_log")
        found |= {(log.parent.parent.name, log.parent.name) for log in logs}
        for source, stream in sorted(found):
            table = open_table(self._uri(source, stream))
            if table is not None:
                yield source, stream, table

    def connections(self, source: str, stream: str) -> dict[str, int]:
        """Rows of a stream's table by connection; empty if nothing has landed."""
        table = open_table(self._uri(source, stream))
        rows: dict[str, int] = {}
        for action in add_actions(table) if table is not None else ():
            name = action["partition.connection"]
            rows[name] = rows.get(name, 0) + action["num_records"]
        return rows

    def pin(self) -> dict[tuple[str, str], Pin]:
        """Every landed stream at its present Delta version.

        A build of the past reads the same files and keeps ``observed_at <= as_of``: nothing
        is ever updated, so the newest version of the table holds every older one.
        """
        pins = {}
        for source, stream, table in self._tables():
            rows = sum(action["num_records"] for action in add_actions(table))
            files = tuple(sorted(files_of(table)))
            pins[source, stream] = Pin(source, stream, table.version(), files, rows)
        return pins

    def live_count(self, source: str, stream: str, connection: str) -> int:
        """How many records of a connection are alive."""
        files = self._files(source, stream)
        with self.room(connection) as room, Newest(files, connection, room) as newest:
            return len(newest.live_ids())

    def versions(self, source: str, stream: str, connection: str, record_id: str) -> list[Version]:
        """Every version of one record, oldest first."""
        names = [name for name in VERSIONS.names if name != "payload_hash"]
        rows = self._select(
            (source, stream),
            [*names, "payload_hash"],
            "where connection = ? and record_id = ? order by observed_at, sync_id, position",
            [connection, record_id],
        )
        return [Version(**{**row, "payload_hash": row["payload_hash"].hex()}) for row in rows]

    def records_between(self, source: str, stream: str, after: datetime, until: datetime) -> int:
        """How many records of a stream showed a new version later than ``after``, to ``until``."""
        found = self._select(
            (source, stream),
            ["connection", "record_id"],
            "where observed_at > ? and observed_at <= ? group by all",
            [after, until],
        )
        return len(found)

    def _select(
        self, table: Sequence[str], names: Sequence[str], rest: str, values: Sequence[Any]
    ) -> list[dict[str, Any]]:
        files = self._files(*table)
        if not files:
            return []
        # Quoted: `at` is a keyword to DuckDB 2.
        columns = ", ".join(f'"{name}"' for name in names)
        partitioned = not table[0].startswith("_")
        options = (
            ", hive_partitioning = true, hive_types = {'connection': VARCHAR}"
            if partitioned
            else ", hive_partitioning = false"
        )
        with _reader().cursor() as db:
            db.execute("set timezone = 'UTC'")
            found = db.execute(
                f"select {columns} from read_parquet(?{options}) {rest}",  # noqa: S608 - our names
                [files, *values],
            ).fetchall()
        return [dict(zip(names, row, strict=True)) for row in found]

    def compact(self, source: str, *streams: str) -> None:
        """Merge the files of streams, and of the checkpoints, where they are many."""
        for parts in (*((source, stream) for stream in streams), ("_checkpoints",)):
            table = open_table(self._uri(*parts))
            if table is not None and len(table.file_uris()) > COMPACT_ABOVE:
                compact(table, RETENTION)


class _Target:
    """Where a writer's rows go."""

    def __init__(
        self, landing: Landing, versions: AppendTable, place: tuple[str, str, str], sync_id: str
    ) -> None:
        self._landing = landing
        self._versions = versions
        self._place = place
        self._sync_id = sync_id

    def append(self, rows: pa.Table) -> None:
        self._versions.append(rows)

    def set_aside(self, rejected: Sequence[Rejected], observed_at: datetime) -> None:
        self._landing.quarantine(
            *self._place, rejected, sync_id=self._sync_id, observed_at=observed_at
        )
