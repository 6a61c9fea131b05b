"""Tables of the serving file as PostgreSQL's: types, columns, comments, views.

A table stands as long as its mart does: it is never dropped, so that grants, policies and the
views of others on it live on. A column that a mart gained is added. One that it lost, or a mart
that is gone, stays empty and says so: whoever reads it finds nothing rather than an old build.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import psycopg
from psycopg import sql

from connectors.base.errors import PipeledgerError

GONE = "No longer published; empty."
_TYPES = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "HUGEINT": "numeric(38,0)",
    "UBIGINT": "numeric(20,0)",
    "UINTEGER": "bigint",
    "DOUBLE": "double precision",
    "FLOAT": "real",
    "DATE": "date",
    "TIME": "time without time zone",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "UUID": "uuid",
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_INSTANT = re.compile(r"CAST\('([^']+)' AS TIMESTAMPTZ\)")
_DAYS_BETWEEN = re.compile(r"date_diff\('day', ([\w.]+), ([\w.]+)\)")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table in the serving file, and what PostgreSQL makes of it."""

    name: str
    duck_type: str
    comment: str | None

    @property
    def type(self) -> str:
        """The type as PostgreSQL prints it; what has no counterpart is jsonb."""
        if found := _DECIMAL.fullmatch(self.duck_type):
            return f"numeric({found[1]},{found[2]})"
        if self.duck_type.endswith("[]"):
            inner = _TYPES.get(self.duck_type.removesuffix("[]"))
            return f"{inner}[]" if inner == "text" else "jsonb"
        return _TYPES.get(self.duck_type, "jsonb")

    @property
    def as_text(self) -> str:
        """The SQL of DuckDB that writes the value as PostgreSQL reads it."""
        name = '"' + self.name.replace('"', '""') + '"'
        if self.type == "text[]":
            quoted = r"""'"' || replace(replace(e, '\', '\\'), '"', '\"') || '"'"""
            each = f"list_transform({name}, lambda e: coalesce({quoted}, 'NULL'))"
            return "'{' || array_to_string(" + each + ", ',') || '}'"
        if self.type == "jsonb":
            return f"cast(to_json({name}) as varchar)"
        return f"cast({name} as varchar)"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the serving file."""

    name: str
    comment: str | None
    columns: Sequence[Column]

    def has(self, *names: str) -> bool:
        """Whether all these columns are there."""
        return set(names) <= {column.name for column in self.columns}


def tables_of(db: duckdb.DuckDBPyConnection, schema: str) -> list[Table]:
    """The tables of a schema of the serving file, by name."""
    columns: dict[str, list[Column]] = {}
    found = db.execute(
        "select table_name, column_name, data_type, comment from duckdb_columns() "
        "where schema_name = ? order by table_name, column_index",
        [schema],
    ).fetchall()
    for table, name, kind, comment in found:
        columns.setdefault(table, []).append(Column(name, kind, comment))
    tables = db.execute(
        "select table_name, comment from duckdb_tables() where schema_name = ? order by 1", [schema]
    ).fetchall()
    return [Table(name, comment, tuple(columns[name])) for name, comment in tables]


def standing(connection: psycopg.Connection[Any], schema: str) -> dict[str, dict[str, str]]:
    """Name and type of the columns of each table that stands in a schema of PostgreSQL."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) "
        "from pg_attribute as a join pg_class as c on c.oid = a.attrelid "
        "where c.relnamespace = to_regnamespace(%s) and c.relkind in ('r', 'p') "
        "and a.attnum > 0 and not a.attisdropped order by c.relname, a.attnum",
        [schema],
    ):
        found.setdefault(table, {})[column] = kind
    return found


def reshape(
    connection: psycopg.Connection[Any], schema: str, table: Table, known: Mapping[str, str] | None
) -> list[str]:
    """Make the table or bring it to the mart's shape; say what a reader should know.

    A column whose type changes loses its values: the whole table is written anew by its caller.

    Raises:
        PipeledgerError: something of others, a view say, hangs on a column whose type changes.
    """
    name = sql.Identifier(schema, table.name)
    notes: list[str] = []
    if known is None:
        typed = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(one.name), _typed(one)) for one in table.columns
        )
        connection.execute(sql.SQL("create table {} ({})").format(name, typed))
    else:
        for column in table.columns:
            if column.name not in known:
                connection.execute(
                    sql.SQL("alter table {} add column {} {}").format(
                        name, sql.Identifier(column.name), _typed(column)
                    )
                )
                notes.append(f"{table.name}.{column.name} is new")
            elif known[column.name] != column.type:
                _retype(connection, name, column)
                was = known[column.name]
                notes.append(f"{table.name}.{column.name} was {was}, it is {column.type}")
        for gone in sorted(set(known) - {column.name for column in table.columns}):
            _comment(connection, "column", sql.Identifier(schema, table.name, gone), GONE)
            notes.append(f"{table.name}.{gone} is no longer published; the column stays, empty")
    _comment(connection, "table", name, table.comment)
    for column in table.columns:
        place = sql.Identifier(schema, table.name, column.name)
        _comment(connection, "column", place, column.comment)
    return notes


def _typed(column: Column) -> sql.SQL:
    return sql.SQL(column.type)


def _retype(connection: psycopg.Connection[Any], table: sql.Identifier, column: Column) -> None:
    try:
        connection.execute(
            sql.SQL("alter table {} alter column {} type {} using null").format(
                table, sql.Identifier(column.name), _typed(column)
            )
        )
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.DependentObjectsStillExist) as error:
        raise PipeledgerError(
            f"{table.as_string()}.{column.name} becomes {column.type}, and something that is not "
            f"pipeledger's hangs on it: {error.diag.message_detail or error}. Drop that, publish, "
            "and make it again"
        ) from None


def _comment(
    connection: psycopg.Connection[Any], kind: str, name: sql.Identifier, text: str | None
) -> None:
    statement = {"table": "comment on table {} is {}", "column": "comment on column {} is {}"}[kind]
    connection.execute(sql.SQL(statement).format(name, sql.Literal(text or None)))


def view_text(text: str, marts: str, meta: str, as_of: datetime) -> str:
    """The query of a view of the serving file in PostgreSQL's words.

    The models are portable; what DuckDB writes down of them differs in three words. The as-of is
    read from ``meta.builds``: a view that is the same from build to build is not made anew, and
    waits for no reader.
    """
    query = text.rstrip().rstrip(";").partition(" AS ")[2]
    query = query.replace("TIMESTAMP_US", "TIMESTAMP")
    query = _DAYS_BETWEEN.sub(r"(\2 - \1)", query)
    query = re.sub(r"\bmarts\.", f"{marts}.", query)

    def instant(found: re.Match[str]) -> str:
        try:
            is_as_of = datetime.fromisoformat(found[1]) == as_of
        except ValueError:
            is_as_of = False
        return f"(select as_of from {meta}.builds)" if is_as_of else found[0]  # noqa: S608 - ours

    return _INSTANT.sub(instant, query)
