"""The newest version of every record of one stream, held while the stream is synced.

Kept in an in-memory DuckDB that may spill, so that memory stays bounded however long the
streams; loaded once per sync from the few columns that the change test needs.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from threading import Lock
from types import TracebackType
from typing import Self
from uuid import uuid4

import duckdb
import pyarrow as pa

MEMORY = "160MB"
_ORDER = "observed_at, sync_id, position"
_COLUMNS = "record_id, payload_hash, change, source_updated_at, observed_at"


class Room:
    """One DuckDB for all streams of a connection: to open one takes longer than a small stream.

    ``scratch`` is a folder of its own for what does not fit into memory; it goes with the room.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._opening = Lock()
        self._db: duckdb.DuckDBPyConnection | None = None

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own, whose temporary tables no other one sees."""
        with self._opening:
            if self._db is None:
                self._db = self._open()
            cursor = self._db.cursor()
        cursor.execute("set timezone = 'UTC'")
        return cursor

    def _open(self) -> duckdb.DuckDBPyConnection:
        # DuckDB makes the folder itself when it spills, but not the ones above.
        self._scratch.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "threads": 2,
            "preserve_insertion_order": False,
            "temp_directory": str(self._scratch),
        }
        return duckdb.connect(":memory:", config=settings)

    def close(self) -> None:
        """Give back memory and folder."""
        if self._db is not None:
            self._db.close()
        rmtree(self._scratch, ignore_errors=True)


class Rooms:
    """The rooms in use, by connection; ``folder`` is where they keep what they spill."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changing = Lock()
        self._used: dict[str, tuple[Room, int]] = {}

    @contextmanager
    def room(self, connection: str) -> Iterator[Room]:
        """A connection's room: the same for all who ask within, given back by the last to leave."""
        with self._changing:
            fresh = Room(self._folder / connection / uuid4().hex)
            room, inside = self._used.get(connection, (fresh, 0))
            self._used[connection] = room, inside + 1
        try:
            yield room
        finally:
            with self._changing:
                room, inside = self._used.pop(connection)
                if inside > 1:
                    self._used[connection] = room, inside - 1
            if inside == 1:
                room.close()


class Newest:
    """Newest (hash, change, vendor's clock, our clock) by record id, for one connection.

    Loaded when first asked: most streams of a scheduled sync show nothing.
    """

    def __init__(self, files: Sequence[str], connection: str, room: Room) -> None:
        self._files = list(files)
        self._connection = connection
        self._room = room
        self._db: duckdb.DuckDBPyConnection | None = None
        self._count = 0

    def _loaded(self) -> duckdb.DuckDBPyConnection:
        if self._db is None:
            self._db = self._load()
        return self._db

    def _load(self) -> duckdb.DuckDBPyConnection:
        db = self._room.cursor()
        db.execute(
            "create temp table newest (record_id varchar, payload_hash blob, change varchar, "
            "source_updated_at timestamptz, observed_at timestamptz)"
        )
        if self._files:
            db.execute(
                f"insert into newest select record_id, v.h, v.c, v.s, v.o from ("  # noqa: S608 - constants
                f"select record_id, max_by(struct_pack(h := payload_hash, c := change, "
                f"s := source_updated_at, o := observed_at), struct_pack({_ORDER})) as v "
                "from read_parquet(?, hive_partitioning = true, "
                "hive_types = {'connection': VARCHAR}) where connection = ? group by record_id)",
                [self._files, self._connection],
            )
        # fetchall: DuckDB 2 counts a result that was not read to its end as still in use.
        self._count = int(db.execute("select count(*) from newest").fetchall()[0][0])
        return db

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._db is not None:
            self._db.close()

    def compare(self, batch: pa.Table) -> pa.Table | None:
        """Find the rows of a batch that differ from the newest version in hash or change.

        Args:
            batch: columns row (int64, the caller's), record_id (at most once each),
                payload_hash, change.

        Returns:
            One row per difference, in the batch's order: row, and of the version that was
            newest so far (null for an unknown record) change, source_updated_at and
            observed_at, both in microseconds since 1970. None if no record is known at
            all: then every row is new.
        """
        db = self._loaded()
        if not self._count:
            return None
        db.register("batch", batch)
        try:
            return db.sql(
                "select b.row, n.change, epoch_us(n.source_updated_at) as source_updated_at, "
                "epoch_us(n.observed_at) as observed_at "
                "from batch b left join newest n using (record_id) "
                "where n.record_id is null or n.payload_hash <> b.payload_hash "
                "or n.change <> b.change order by b.row"
            ).to_arrow_table()
        finally:
            db.unregister("batch")

    def take(self, landed: pa.Table, replaced: bool) -> None:
        """Take landed versions as the newest; ``replaced``: some of the records were known."""
        db = self._loaded()
        db.register("landed", landed)
        try:
            if replaced:
                db.execute("delete from newest where record_id in (select record_id from landed)")
            db.execute(f"insert into newest select {_COLUMNS} from landed")  # noqa: S608 - constant
        finally:
            db.unregister("landed")
        self._count += landed.num_rows

    def live_ids(self, ended: Collection[str] = ("deleted", "merged")) -> list[str]:
        """Ids whose newest version is none of the ``ended`` changes, ascending."""
        return self._ids("not list_contains(?, change)", ended)

    def archived_ids(self) -> list[str]:
        """Ids whose newest version is in the vendor's archive, ascending."""
        return self._ids("list_contains(?, change)", ("archived",))

    def _ids(self, condition: str, changes: Collection[str]) -> list[str]:
        db = self._loaded()
        rows = db.execute(
            f"select record_id from newest where {condition} order by record_id",  # noqa: S608 - constants
            [list(changes)],
        ).fetchall()
        return [str(row[0]) for row in rows]
