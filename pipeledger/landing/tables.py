"""Delta tables: schemas, opening, appending, compacting.

The format version of landing stands in each table's properties. A table that a newer
release wrote is refused, not guessed at.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from connectors.base.errors import ConfigError

FORMAT = 1
_PROPERTY = "pipeledger.format"
_INSTANT = pa.timestamp("us", tz="UTC")

VERSIONS = pa.schema(
    [
        pa.field("connection", pa.string(), nullable=False),
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("payload", pa.string()),
        pa.field("payload_hash", pa.binary(), nullable=False),
        pa.field("change", pa.string(), nullable=False),
        pa.field("source_updated_at", _INSTANT),
        pa.field("observed_at", _INSTANT, nullable=False),
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
        *[pa.field(name, _INSTANT, nullable=False) for name in ("started_at", "at")],
        pa.field("sequence", pa.int64(), nullable=False),
        pa.field("swept_at", _INSTANT),
        pa.field("error", pa.string()),
    ]
)
QUARANTINE = pa.schema(
    [
        *[pa.field(name, pa.string(), nullable=False) for name in ("source", "connection")],
        *[pa.field(name, pa.string(), nullable=False) for name in ("stream", "sync_id")],
        pa.field("record_id", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("raw", pa.string(), nullable=False),
        pa.field("observed_at", _INSTANT, nullable=False),
    ]
)
_WRITER = WriterProperties(compression="ZSTD", compression_level=1)


def open_table(uri: str, options: Mapping[str, str] | None) -> DeltaTable | None:
    """The table at an address; None if there is none.

    Raises:
        ConfigError: a newer release wrote it, or its log is damaged.
    """
    try:
        table = DeltaTable(uri, storage_options=dict(options or {}) or None)
    except TableNotFoundError:
        return None
    except DeltaError as error:
        raise ConfigError(
            f"the landing table {uri} cannot be read: {error}. Restore it from a backup, or move "
            "the folder away and sync its streams again with --full."
        ) from error
    found = table.metadata().configuration.get(_PROPERTY, "?")
    if found != str(FORMAT):
        raise ConfigError(
            f"the landing table {uri} has format {found}, this release reads {FORMAT}. "
            "Install the release that wrote it, or a newer one."
        )
    return table


def append_rows(
    uri: str,
    rows: pa.Table,
    schema: pa.Schema,
    options: Mapping[str, str] | None,
    partition_by: list[str] | None = None,
) -> None:
    """Append rows in one commit; the table is made with the first ones."""
    if open_table(uri, options) is None:
        if "://" not in uri:
            Path(uri).mkdir(parents=True, exist_ok=True, mode=0o700)
        DeltaTable.create(
            uri,
            schema=schema,
            mode="ignore",
            partition_by=partition_by,
            configuration={_PROPERTY: str(FORMAT)},
            storage_options=dict(options or {}) or None,
            raise_if_key_not_exists=False,
        )
    write_deltalake(
        uri,
        rows,
        mode="append",
        storage_options=dict(options or {}) or None,
        writer_properties=_WRITER,
    )


def compact(table: DeltaTable, retention: timedelta) -> None:
    """Merge small files and drop the ones that no reader can still hold.

    Rows and their values stay as they are. Files younger than ``retention`` are kept for
    builds that pinned an older version of the table.
    """
    table.optimize.compact(writer_properties=_WRITER)
    table.vacuum(
        retention_hours=int(retention.total_seconds() // 3600),
        dry_run=False,
        enforce_retention_duration=False,
    )
    table.create_checkpoint()
