"""The newest version of every record of one stream, held while the stream is synced.

Kept in an in-memory DuckDB that may spill, so that memory stays bounded however long the
stream; loaded once per sync from the few columns that the change test needs.
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa

MEMORY = "256MB"
_ORDER = "observed_at, sync_id, position"


class Newest:
    """Newest (hash, change, vendor's clock) by record id."""

    def __init__(self, files: Sequence[str], connection: str, scratch: Path | None) -> None:
        self._db = duckdb.connect(":memory:")
        self._db.execute(f"set memory_limit = '{MEMORY}'")
        self._db.execute("set threads = 2")
        self._db.execute("set preserve_insertion_order = false")
        self._db.execute("set timezone = 'UTC'")
        if scratch is not None:
            self._db.execute("set temp_directory = ?", [str(scratch)])
        self._db.execute(
            "create table newest (record_id varchar, payload_hash blob, change varchar, "
            "source_updated_at timestamptz)"
        )
        if files:
            self._db.execute(
                f"insert into newest select record_id, v.h, v.c, v.s from ("  # noqa: S608 - constants
                f"select record_id, max_by(struct_pack(h := payload_hash, c := change, "
                f"s := source_updated_at), struct_pack({_ORDER})) as v "
                "from read_parquet(?, hive_partitioning = true, "
                "hive_types = {'connection': VARCHAR}) where connection = ? group by record_id)",
                [list(files), connection],
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def compare(self, batch: pa.Table) -> pa.Table:
        """Judge a batch that holds at most one row per record.

        Args:
            batch: columns row (int64, the caller's), record_id, payload_hash, change,
                source_updated_at.

        Returns:
            Columns row and verdict: ``new`` where content or change differs, ``late`` where
            it differs but the vendor's own clock is older than that of the newest version.
            Equal rows are left out.
        """
        self._db.register("batch", batch)
        try:
            return self._db.sql(
                "select b.row, case when n.source_updated_at > b.source_updated_at "
                "and b.change = 'upsert' then 'late' else 'new' end as verdict "
                "from batch b left join newest n using (record_id) "
                "where n.record_id is null or n.payload_hash <> b.payload_hash "
                "or n.change <> b.change order by b.row"
            ).to_arrow_table()
        finally:
            self._db.unregister("batch")

    def replace(self, batch: pa.Table) -> None:
        """Take landed rows (same columns as ``compare``) as the newest."""
        self._db.register("batch", batch)
        try:
            self._db.execute("delete from newest where record_id in (select record_id from batch)")
            self._db.execute(
                "insert into newest "
                "select record_id, payload_hash, change, source_updated_at from batch"
            )
        finally:
            self._db.unregister("batch")

    def live_ids(self) -> list[str]:
        """Ids whose newest version is no end of life, ascending."""
        return self._ids("change not in ('deleted', 'merged')")

    def archived_ids(self) -> list[str]:
        """Ids whose newest version is in the vendor's archive, ascending."""
        return self._ids("change = 'archived'")

    def _ids(self, condition: str) -> list[str]:
        rows = self._db.execute(
            f"select record_id from newest where {condition} order by record_id"  # noqa: S608 - constants
        ).fetchall()
        return [str(row[0]) for row in rows]
