"""SQL that is written by hand: literals, and rows that Python holds."""

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

ROWS_AT_ONCE = 500


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def insert(db: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows into a table; many per statement, for each costs DuckDB a millisecond."""
    values = [tuple(row) for row in rows]
    for start in range(0, len(values), ROWS_AT_ONCE):
        part = values[start : start + ROWS_AT_ONCE]
        marks = ", ".join("(" + ", ".join("?" * len(row)) + ")" for row in part)
        db.execute(f"insert into {table} values {marks}", [one for row in part for one in row])  # noqa: S608 - our names
