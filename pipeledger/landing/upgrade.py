"""Landing of an older format, brought to this release's: table by table, and no row is lost.

A table's format is set last, in a commit of its own: after a death the same call goes on.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

from pipeledger.landing.tables import CHECKPOINTS, FORMAT, PROPERTY, files_of, open_table


def upgrade(root: str | Path) -> dict[str, int]:
    """Bring every table of a landing folder to this release's format.

    Run it while nobody reads or writes.

    Returns:
        The format that each changed table had, by its place below the folder.

    Raises:
        ConfigError: a table is damaged or of a newer release; no table was changed.
    """
    found: dict[str, tuple[DeltaTable, int]] = {}
    for log in sorted([*Path(root).glob("*/_delta_log"), *Path(root).glob("*/*/_delta_log")]):
        # What `state rebuild` set aside has a stamp in its name and is read by nobody.
        name = str(log.parent.relative_to(root))
        table = None if "." in name else open_table(str(log.parent), from_format=1)
        if table is not None:
            found[name] = (table, int(table.metadata().configuration[PROPERTY]))
    older = {name: (table, told) for name, (table, told) in found.items() if told < FORMAT}
    for name, (table, told) in older.items():
        for rung in range(told, FORMAT):
            _RUNGS[rung](name, table)
        table.alter.set_table_properties({PROPERTY: str(FORMAT)}, raise_if_not_exists=False)
    return {name: told for name, (_, told) in older.items()}


def _count_what_was_set_aside(name: str, table: DeltaTable) -> None:
    """Format 2: a checkpoint says how many records went to quarantine, and the vendor's count.

    Older syncs counted neither: none is told for the first, nothing is known of the second.
    """
    if name != "_checkpoints" or "quarantined" in pa.schema(table.schema().to_arrow()).names:
        return
    known = [field for field in CHECKPOINTS if field.name not in ("quarantined", "vendor_total")]
    old = pa.concat_tables(
        [
            pa.schema(known).empty_table(),
            *(pq.read_table(path, partitioning=None) for path in files_of(table)),
        ],
        promote_options="permissive",
    )
    columns = {
        "quarantined": pa.repeat(0, old.num_rows),
        "vendor_total": pa.nulls(old.num_rows, pa.int64()),
    }
    whole = pa.table(
        [columns[one] if one in columns else old[one] for one in CHECKPOINTS.names],
        CHECKPOINTS.names,
    ).cast(CHECKPOINTS)
    write_deltalake(table, whole, mode="overwrite", schema_mode="overwrite")
    table.update_incremental()


_RUNGS: Mapping[int, Callable[[str, DeltaTable], None]] = {1: _count_what_was_set_aside}
"""What brings a table from a format to the next one."""
