"""The landing store: append versions, keep checkpoints, pin what a build reads."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from connectors.base.errors import BadRecord, ConfigError
from connectors.base.stream import Record, Rejected
from pipeledger.landing.canonical import hasher, storable, storable_text
from pipeledger.landing.checkpoints import Checkpoint
from pipeledger.landing.newest import Newest
from pipeledger.landing.tables import (
    CHECKPOINTS,
    QUARANTINE,
    VERSIONS,
    append_rows,
    compact,
    open_table,
)

COMPACT_ABOVE = 64
"""Files of a table above which a finished sync merges them."""
RETENTION = timedelta(days=7)
MAX_RECORD = 1024**2
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class AppendReport:
    """What became of a batch: records seen, versions appended, set aside, bytes landed."""

    seen: int
    appended: int
    quarantined: int
    bytes: int


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
    """The Delta tables below one root, a folder or an object-store address."""

    def __init__(self, root: str | Path, storage_options: Mapping[str, str] | None = None) -> None:
        self.root = str(root).rstrip("/")
        self._options = storage_options

    def _uri(self, *parts: str) -> str:
        for part in parts:
            if not _NAME.fullmatch(part.lstrip("_")):
                raise ValueError(part)
        return "/".join((self.root, *parts))

    @contextmanager
    def writer(
        self,
        source: str,
        stream: str,
        connection: str,
        *,
        sync_id: str,
        volatile: frozenset[str] = frozenset(),
    ) -> Iterator["Writer"]:
        """A writer for one stream of one connection, for the length of a sync."""
        uri = self._uri(source, stream)
        scratch = Path(self.root) / "_scratch" if "://" not in self.root else None
        with Newest(self._files(uri), connection, scratch) as newest:
            yield Writer(self, uri, newest, (source, stream, connection), sync_id, volatile)

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

    def checkpoint(self, row: Checkpoint) -> None:
        """Store a checkpoint. Its batch must be durable before."""
        cursor = None if row.cursor is None else msgspec.json.encode(row.cursor).decode()
        data = pa.Table.from_pylist([{**asdict(row), "cursor": cursor}], schema=CHECKPOINTS)
        append_rows(self._uri("_checkpoints"), data, CHECKPOINTS, self._options)

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
    ) -> list[Checkpoint]:
        """Checkpoints in order, narrowed as asked; with ``last`` one per stream and connection.

        Raises:
            ConfigError: a stored cursor is damaged.
        """
        files = self._files(self._uri("_checkpoints"))
        if not files:
            return []
        tests = [("source", source), ("stream", stream), ("connection", connection)]
        wanted = [(name, value) for name, value in tests if value is not None]
        where = " and ".join(f"{name} = ?" for name, _ in wanted) or "true"
        newest = (
            "qualify row_number() over (partition by source, stream, connection "
            "order by sync_id desc, sequence desc) = 1"
            if last
            else ""
        )
        with duckdb.connect(":memory:") as db:
            db.execute("set timezone = 'UTC'")
            cursor = db.execute(
                f"select {_columns(CHECKPOINTS)} from read_parquet(?) "  # noqa: S608 - names
                f"where {where} {newest} order by sync_id, sequence",
                [files, *(value for _, value in wanted)],
            )
            rows = [dict(zip(CHECKPOINTS.names, row, strict=True)) for row in cursor.fetchall()]
        return [_checkpoint(row) for row in rows]

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
        """Set records aside with their reason and raw text."""
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
            for one in rejected
        ]
        data = pa.Table.from_pylist(rows, schema=QUARANTINE)
        append_rows(self._uri("_quarantine"), data, QUARANTINE, self._options)

    def quarantined(self) -> list[dict[str, Any]]:
        """Every record set aside, oldest first."""
        files = self._files(self._uri("_quarantine"))
        if not files:
            return []
        with duckdb.connect(":memory:") as db:
            db.execute("set timezone = 'UTC'")
            names = QUARANTINE.names
            rows = db.execute(
                f"select {_columns(QUARANTINE)} from read_parquet(?) order by observed_at, sync_id",  # noqa: S608 - names
                [files],
            ).fetchall()
        return [dict(zip(names, row, strict=True)) for row in rows]

    def streams(self) -> list[tuple[str, str]]:
        """Every (source, stream) that has landed, from checkpoints and tables."""
        found = {(row.source, row.stream) for row in self.checkpoints(last=True)}
        return sorted(pair for pair in found if self._files(self._uri(*pair)))

    def pin(self) -> dict[tuple[str, str], Pin]:
        """Every landed stream at its present Delta version."""
        pins = {}
        for source, stream in self.streams():
            table = open_table(self._uri(source, stream), self._options)
            if table is None:
                continue
            actions = pa.table(table.get_add_actions(flatten=True))
            rows = sum(actions.column("num_records").to_pylist())
            files = tuple(sorted(table.file_uris()))
            pins[source, stream] = Pin(source, stream, table.version(), files, rows)
        return pins

    def live_count(self, source: str, stream: str, connection: str) -> int:
        """How many records of a connection are alive."""
        with self.writer(source, stream, connection, sync_id="count") as writer:
            return len(writer.live_ids())

    def versions(self, source: str, stream: str, connection: str, record_id: str) -> list[Version]:
        """Every version of one record, oldest first."""
        files = self._files(self._uri(source, stream))
        if not files:
            return []
        with duckdb.connect(":memory:") as db:
            db.execute("set timezone = 'UTC'")
            rows = db.execute(
                "select connection, record_id, payload, lower(hex(payload_hash)), change, "
                "source_updated_at, observed_at, position, sync_id "
                "from read_parquet(?, hive_partitioning = true, "
                "hive_types = {'connection': VARCHAR}) where connection = ? and record_id = ? "
                "order by observed_at, sync_id, position",
                [files, connection, record_id],
            ).fetchall()
        return [Version(*row) for row in rows]

    def compact(self, source: str, stream: str) -> None:
        """Merge the files of a stream when they are many."""
        for uri in (self._uri(source, stream), self._uri("_checkpoints")):
            table = open_table(uri, self._options)
            if table is not None and len(table.file_uris()) > COMPACT_ABOVE:
                compact(table, RETENTION)

    def append_table(self, uri: str, rows: pa.Table) -> None:
        """Append landed versions in one commit (for ``Writer``)."""
        append_rows(uri, rows, VERSIONS, self._options, ["connection"])

    def _files(self, uri: str) -> list[str]:
        table = open_table(uri, self._options)
        return [] if table is None else list(table.file_uris())


class Writer:
    """Appends the batches of one stream within one sync."""

    def __init__(
        self,
        landing: Landing,
        uri: str,
        newest: Newest,
        place: tuple[str, str, str],
        sync_id: str,
        volatile: frozenset[str],
    ) -> None:
        self._landing = landing
        self._uri = uri
        self._newest = newest
        self._place = place
        self._sync_id = sync_id
        self._digest = hasher(volatile)
        self._position = 0

    def live_ids(self) -> list[str]:
        """Ids that landing holds as alive, this sync's batches included."""
        return self._newest.live_ids()

    def archived_ids(self) -> list[str]:
        """Ids that landing holds as archived, this sync's batches included."""
        return self._newest.archived_ids()

    def append(self, records: Sequence[Record]) -> AppendReport:
        """Append the versions that are new.

        Within the batch the newest showing of a record wins. A version whose vendor clock
        is older than that of the newest landed one came late (a lagging replica): it goes
        to quarantine as ``late``, so it is kept and replaces nothing.
        """
        rejected: list[Rejected] = []
        chosen: dict[str, tuple[Record, bytes]] = {}
        for shown in records:
            record = shown
            try:
                _check(record)
                payload = storable(record.payload)
                digest = self._digest(payload)
            except BadRecord as error:
                rejected.append(Rejected(record.record_id, str(error), record.payload or b""))
                continue
            before = chosen.get(record.record_id)
            if before is None or not _is_older(record, before[0]):
                if payload is not record.payload:
                    record = replace(record, payload=payload)
                chosen[record.record_id] = (record, digest)
        pairs = list(chosen.values())
        verdicts: dict[int, str] = {}
        if pairs:
            judged = self._newest.compare(_keys(pairs, range(len(pairs))))
            verdicts = dict(
                zip(judged["row"].to_pylist(), judged["verdict"].to_pylist(), strict=True)
            )
        rejected += [
            Rejected(record.record_id, "late: the vendor's clock is older", record.payload or b"")
            for row, (record, _) in enumerate(pairs)
            if verdicts.get(row) == "late"
        ]
        fresh = [pair for row, pair in enumerate(pairs) if verdicts.get(row) == "new"]
        size = 0
        if fresh:
            table = self._rows(fresh)
            size = table.nbytes
            self._landing.append_table(self._uri, table)
            self._newest.replace(_keys(fresh, range(len(fresh))))
        source, stream, connection = self._place
        observed = records[0].observed_at if records else datetime.now(UTC)
        self._landing.quarantine(
            source, stream, connection, rejected, sync_id=self._sync_id, observed_at=observed
        )
        return AppendReport(len(records), len(fresh), len(rejected), size)

    def _rows(self, pairs: Sequence[tuple[Record, bytes]]) -> pa.Table:
        start = self._position
        self._position += len(pairs)
        count = len(pairs)
        records = [record for record, _ in pairs]
        return pa.table(
            [
                pa.array([self._place[2]] * count, pa.string()),
                pa.array([record.record_id for record in records], pa.string()),
                pa.array([record.payload for record in records], pa.binary()).cast(pa.string()),
                pa.array([digest for _, digest in pairs], pa.binary()),
                pa.array([record.change for record in records], pa.string()),
                pa.array([r.source_updated_at for r in records], VERSIONS.field(5).type),
                pa.array([record.observed_at for record in records], VERSIONS.field(6).type),
                pa.array(range(start, start + count), pa.int64()),
                pa.array([self._sync_id] * count, pa.string()),
            ],
            schema=VERSIONS,
        )


def _columns(schema: pa.Schema) -> str:
    # Quoted: `at` is a keyword to DuckDB 2.
    return ", ".join(f'"{name}"' for name in schema.names)


def _keys(pairs: Sequence[tuple[Record, bytes]], rows: Sequence[int]) -> pa.Table:
    records = [record for record, _ in pairs]
    return pa.table(
        {
            "row": pa.array(rows, pa.int64()),
            "record_id": pa.array([record.record_id for record in records], pa.string()),
            "payload_hash": pa.array([digest for _, digest in pairs], pa.binary()),
            "change": pa.array([record.change for record in records], pa.string()),
            "source_updated_at": pa.array(
                [record.source_updated_at for record in records], VERSIONS.field(5).type
            ),
        }
    )


def _check(record: Record) -> None:
    if record.payload is not None and len(record.payload) > MAX_RECORD:
        raise BadRecord(f"{len(record.payload)} bytes exceed the cap of {MAX_RECORD}")
    if record.payload is None and record.change == "upsert":
        raise BadRecord("an upsert without a payload")


def _is_older(record: Record, than: Record) -> bool:
    """Does the vendor's own clock put this showing before the other?"""
    if record.source_updated_at is None or than.source_updated_at is None:
        return False
    return record.change == "upsert" and record.source_updated_at < than.source_updated_at


def _checkpoint(row: dict[str, Any]) -> Checkpoint:
    try:
        cursor = None if row["cursor"] is None else msgspec.json.decode(row["cursor"])
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"the checkpoint of {row['source']}.{row['stream']} ({row['connection']}) is damaged: "
            f"{error}. Sync it again with --full: landed versions stay, nothing is doubled."
        ) from error
    return Checkpoint(**{**row, "cursor": cursor})
