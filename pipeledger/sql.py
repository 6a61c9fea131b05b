"""SQL that is written by hand: literals, and rows that Python holds."""

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import pyarrow as pa


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def insert(db: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows into a table, all at once, in the order of its columns.

    DuckDB takes a millisecond for a statement, and for rows given as parameters 0.1 ms each.
    """
    columns = [pa.array(column) for column in zip(*rows, strict=True)]
    if not columns:
        return
    db.register("inserted", pa.table(columns, names=[str(place) for place in range(len(columns))]))
    try:
        db.execute(f"insert into {table} select * from inserted")  # noqa: S608 - our names
    finally:
        db.unregister("inserted")
