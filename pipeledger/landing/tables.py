"""Delta tables: schemas, opening, appending, compacting.

The format version of landing stands in each table's properties. A table of another format is
refused, not guessed at; ``upgrade`` brings an older one to ours.
"""

import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from connectors.base.errors import ConfigError, PipeledgerError

FORMAT = 2
PROPERTY = "pipeledger.format"
INSTANT = pa.timestamp("us", tz="UTC")

VERSIONS = pa.schema(
    [
        pa.field("connection", pa.string(), nullable=False),
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("payload", pa.string()),
        pa.field("payload_hash", pa.binary(), nullable=False),
        pa.field("change", pa.string(), nullable=False),
        pa.field("source_updated_at", INSTANT),
        pa.field("observed_at", INSTANT, nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("sync_id", pa.string(), nullable=False),
    ]
)
CHECKPOINTS = pa.schema(
    [
        *[pa.field(name, pa.string(), nullable=False) for name in ("source", "connection")],
        *[pa.field(name, pa.string(), nullable=False) for name in ("stream", "sync_id")],
        pa.field("cursor", pa.string()),
        pa.field("state", pa.string(), nullable=False),
        *[pa.field(name, pa.int64(), nullable=False) for name in ("seen", "appended")],
        *[pa.field(name, pa.int64(), nullable=False) for name in ("requests", "bytes")],
        *[pa.field(name, INSTANT, nullable=False) for name in ("started_at", "at")],
        pa.field("sequence", pa.int64(), nullable=False),
        pa.field("swept_at", INSTANT),
        pa.field("error", pa.string()),
        pa.field("quarantined", pa.int64(), nullable=False),
        pa.field("vendor_total", pa.int64()),
    ]
)
QUARANTINE = pa.schema(
    [
        *[pa.field(name, pa.string(), nullable=False) for name in ("source", "connection")],
        *[pa.field(name, pa.string(), nullable=False) for name in ("stream", "sync_id")],
        pa.field("record_id", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("raw", pa.string(), nullable=False),
        pa.field("observed_at", INSTANT, nullable=False),
    ]
)
# Texts of a kilobyte, each but once: a dictionary and their minimum cost time and say nothing.
_BULKY = ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")
_WRITER = WriterProperties(
    compression="ZSTD",
    compression_level=1,
    max_row_group_size=16_384,  # a writer holds a whole group of payloads in memory
    column_properties={"payload": _BULKY, "payload_hash": _BULKY},
)
# Appends never contradict each other, but many processes race for the next version number.
_COMMIT = CommitProperties(max_commit_retries=100)


class DamagedTableError(ConfigError):
    """The log of a landing table cannot be read."""


class OtherFormatError(ConfigError):
    """A landing table is sound, and of another release's format."""


class StorageFullError(PipeledgerError):
    """The disk below landing is full; what was committed before is intact."""


def open_table(uri: str, *, from_format: int = FORMAT) -> DeltaTable | None:
    """The table at an address; None if there is none.

    Args:
        uri: its address.
        from_format: the oldest format to open.

    Raises:
        OtherFormatError: it is of an older format, a newer one, or none.
        DamagedTableError: its log is damaged.
    """
    try:
        table = DeltaTable(uri)
        found = table.metadata().configuration.get(PROPERTY, "?")
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as error:
        cause = str(error).partition("\n")[0]  # delta-rs adds its call stack
        raise DamagedTableError(
            f"the landing table {uri} cannot be read: {cause}. Restore it from a backup, or run "
            "`pipeledger state rebuild`: it moves the damaged part aside and the next sync reads "
            "those streams again."
        ) from error
    known = int(found) if found.isdigit() else 0
    if from_format <= known <= FORMAT:
        return table
    about = f"the landing table {uri} has format {found}, this release reads {FORMAT}. "
    if 1 <= known < FORMAT:
        raise OtherFormatError(f"{about}Run `pipeledger state upgrade`: every row is kept.")
    if known > FORMAT:
        raise OtherFormatError(
            f"{about}A newer release wrote it: install that one, or restore the copy of landing "
            "that was made before the upgrade (docs/deployment.md, Upgrade)."
        )
    raise OtherFormatError(f"{about}No release of pipeledger wrote it: is this the right folder?")


class AppendTable:
    """One Delta table that is only ever appended to; made with the first rows.

    Safe to share between threads; other processes may append at the same time.
    """

    def __init__(
        self,
        uri: str,
        schema: pa.Schema,
        partition_by: Sequence[str] = (),
    ) -> None:
        self.uri = uri
        self._schema = schema
        self._partition_by = list(partition_by)
        self._lock = threading.Lock()
        self._table: DeltaTable | None = None

    def append(self, rows: pa.Table) -> None:
        """Append rows in one commit.

        Raises:
            StorageFullError: there is no space left; nothing of these rows was committed.
        """
        with self._lock:
            try:
                self._commit(rows)
            except CommitFailedError as error:
                if "Metadata changed" not in str(error):
                    raise
                # Two processes made the table at once: ours is committed on what both agree on.
                self._commit(rows)

    def _commit(self, rows: pa.Table) -> None:
        if self._table is None:
            self._table = open_table(self.uri) or self._create()
        try:
            write_deltalake(
                self._table,
                rows,
                mode="append",
                writer_properties=_WRITER,
                commit_properties=_COMMIT,
            )
        except (DeltaError, OSError) as error:
            self._table = None  # its state may be half a step behind
            if "No space left" in str(error) or "os error 28" in str(error):
                raise StorageFullError(
                    f"disk full: no space is left for {self.uri}. Free some and run again: "
                    "what was landed before is intact."
                ) from error
            raise

    def _create(self) -> DeltaTable:
        Path(self.uri).mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return DeltaTable.create(
                self.uri,
                schema=self._schema,
                mode="ignore",
                partition_by=self._partition_by,
                configuration={PROPERTY: str(FORMAT)},
                raise_if_key_not_exists=False,
            )
        except DeltaError:
            # Another process was first.
            table = open_table(self.uri)
            if table is None:
                raise
            return table


def files_of(table: DeltaTable) -> list[str]:
    """The addresses of a table's files, each of the size that the log says.

    Raises:
        ConfigError: a file is missing or was cut short.
    """
    actions = add_actions(table)
    damaged = _damaged(table, actions)
    if damaged:
        raise ConfigError(
            f"the landing file {damaged[0]} is missing or torn ({len(damaged)} in all). Restore "
            "it from a backup, or run `pipeledger state rebuild`: it sets the file aside and the "
            "next sync reads that stream again."
        )
    folder = _folder(table)
    # Not file_uris(): it writes blanks and umlauts of a local folder as %20 and %C3%BC.
    return [str(folder / action["path"]) for action in actions]


def damaged_files(table: DeltaTable) -> list[str]:
    """The paths of files that are missing or whose size differs from the log's."""
    return _damaged(table, add_actions(table))


def _damaged(table: DeltaTable, actions: Sequence[dict[str, Any]]) -> list[str]:
    folder = _folder(table)
    found = []
    for action in actions:
        path = folder / action["path"]
        if not path.exists() or path.stat().st_size != action["size_bytes"]:
            found.append(str(path))
    return found


def add_actions(table: DeltaTable) -> list[dict[str, Any]]:
    """The log's line on each live file: path, size_bytes, num_records, partition.connection."""
    rows: list[dict[str, Any]] = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return rows


def _folder(table: DeltaTable) -> Path:
    """The folder behind a table's address, which delta-rs gives as a path or a file URL."""
    uri = table.table_uri
    return Path(unquote(urlsplit(uri).path)) if uri.startswith("file://") else Path(uri)


def rewrite(uri: str, rows: pa.RecordBatchReader) -> None:
    """Replace all rows of a table in one commit, and leave nothing of what was replaced.

    The old files go, and so do the older lines of the log: they hold the least and the greatest
    text of each column. Until the commit the table is the old one; after it only files that no
    reader of ours needs are taken away, so a death at any point loses no row.
    """
    table = open_table(uri)
    if table is None:
        return
    write_deltalake(
        table, rows, mode="overwrite", writer_properties=_WRITER, commit_properties=_COMMIT
    )
    purge(uri)


def purge(uri: str) -> None:
    """Take away the files and the lines of the log that the newest version does not need."""
    table = open_table(uri)
    if table is None:
        return
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True)
    table.create_checkpoint()
    log = _folder(table) / "_delta_log"
    newest = open_table(uri)
    last = table.version() if newest is None else newest.version()
    for path in log.glob("*.json"):
        if path.stem.isdigit() and int(path.stem) < last:
            path.unlink()
    for path in log.glob("*.checkpoint*.parquet"):
        if int(path.name.partition(".")[0]) < last:
            path.unlink()


def compact(table: DeltaTable, retention: timedelta) -> None:
    """Merge small files and drop the ones that no reader can still hold.

    Rows and their values stay as they are. Files younger than ``retention`` are kept for
    builds that pinned an older version of the table. Another process that compacts the
    same table at the same moment wins; ours is then left to the next sync.
    """
    try:
        table.optimize.compact(
            writer_properties=_WRITER, max_concurrent_tasks=1, target_size=128 * 1024**2
        )
        table.vacuum(
            retention_hours=int(retention.total_seconds() // 3600),
            dry_run=False,
            enforce_retention_duration=False,
        )
        table.create_checkpoint()
    except CommitFailedError:
        return
