"""Read the marts in PostgreSQL: a connection for each request that can only read.

The queries are the same. What differs is done here: parameters get their types, which PostgreSQL
cannot see from ``$team is null``; schemas their configured names; and a column that the role may
not read is null, so that a page loses a value and not itself.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
from psycopg import sql
from psycopg.rows import dict_row

from connectors.base.errors import PipeledgerError
from dashboard.access import Viewer, narrowing, rule
from pipeledger.settings.dashboard import PostgresReading

_NAMED = re.compile(r"\$([a-z_]+)")
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_TYPES = {
    **dict.fromkeys(("first_day", "last_day", "today", "day"), "date"),
    **dict.fromkeys(("as_of", "start_at", "end_at"), "timestamptz"),
    "digits": "integer",
}
"""Types of parameters that are no text."""


class PostgresReader:
    """Answers the queries of one request, with the rows that the viewer may see."""

    def __init__(self, settings: PostgresReading, viewer: Viewer) -> None:
        self._settings = settings
        self._viewer = viewer
        self._made: set[str] = set()
        self._db: psycopg.Connection[dict[str, Any]] = psycopg.connect(
            settings.dsn.get_secret_value(),
            autocommit=True,
            connect_timeout=10,
            application_name="pipeledger dashboard",
            row_factory=dict_row,
        )
        for name, value in (
            ("timezone", "UTC"),
            ("search_path", f"pg_temp,{settings.marts_schema}"),
            ("default_transaction_read_only", "on"),
            ("statement_timeout", "60s"),
        ):
            self._db.execute("select set_config(%s, %s, false)", [name, value])
        if "fct_deal" not in self._columns:
            self.close()
            raise PipeledgerError("nothing is published there, or this role may read none of it")

    def close(self) -> None:
        """Give the connection back."""
        self._db.close()

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a query; of the parameters it takes those that it names."""
        return self._ask(sql, parameters).fetchall()

    @contextmanager
    def relation(
        self, sql: str, parameters: Mapping[str, Any]
    ) -> Iterator[duckdb.DuckDBPyRelation]:
        """The rows of a query as a relation that lives for the block."""
        cursor = self._ask(sql, parameters)
        names = [column.name for column in cursor.description or []]
        rows = cursor.fetchall()
        table = pa.table({name: [row[name] for row in rows] for name in names})
        with duckdb.connect(":memory:") as db:
            yield db.from_arrow(table)

    def _ask(
        self, text: str, parameters: Mapping[str, Any] | None
    ) -> psycopg.Cursor[dict[str, Any]]:
        self._make_views(text)
        given = parameters or {}
        query = _NAMED.sub(
            lambda found: f"cast(%({found[1]})s as {_TYPES.get(found[1], 'text')})",
            text.replace("%", "%%"),
        )
        query = re.sub(r"\bmeta\.", f"{self._settings.meta_schema}.", query)
        query = re.sub(r"\bmarts\.", f"{self._settings.marts_schema}.", query)
        # The text is ours: what a reader said is in the parameters.
        statement = sql.SQL(query)
        return self._db.execute(statement, {name: given[name] for name in _NAMED.findall(text)})

    @cached_property
    def _columns(self) -> dict[str, dict[str, tuple[str, bool]]]:
        """By mart its columns: type, and whether the role may read them."""
        found: dict[str, dict[str, tuple[str, bool]]] = {}
        for row in self._db.execute(
            "select c.relname as mart, a.attname as name, "
            "format_type(a.atttypid, a.atttypmod) as type, "
            "has_column_privilege(c.oid, a.attnum, 'select') as is_shown "
            "from pg_attribute as a join pg_class as c on c.oid = a.attrelid "
            "where c.relnamespace = to_regnamespace(%s) and c.relkind in ('r', 'p', 'v', 'm') "
            "and a.attnum > 0 and not a.attisdropped order by c.relname, a.attnum",
            [self._settings.marts_schema],
        ):
            found.setdefault(row["mart"], {})[row["name"]] = (row["type"], row["is_shown"])
        return {
            mart: columns
            for mart, columns in found.items()
            if any(is_shown for _, is_shown in columns.values())
        }

    def _make_views(self, text: str) -> None:
        """Put a view before each mart of the query that is narrowed or has hidden columns."""
        teams = self._viewer.teams
        for mart in sorted(set(_WORD.findall(text)) & set(self._columns) - self._made):
            self._made.add(mart)
            columns = self._columns[mart]
            if teams is None and all(is_shown for _, is_shown in columns.values()):
                continue
            if teams is not None:
                self._narrow(teams)
            chosen = sql.SQL(", ").join(
                sql.Identifier(name)
                if is_shown
                else sql.SQL("cast(null as {}) as {}").format(
                    sql.SQL(kind),
                    sql.Identifier(name),
                )
                for name, (kind, is_shown) in columns.items()
            )
            condition = "true" if teams is None else rule(mart, set(columns))
            self._write(
                sql.SQL("create temp view {} as select {} from {} where {}").format(
                    sql.Identifier(mart),
                    chosen,
                    sql.Identifier(self._settings.marts_schema, mart),
                    sql.SQL(condition),
                )
            )

    def _narrow(self, teams: tuple[str, ...]) -> None:
        if "_teams" in self._made:
            return
        self._made.add("_teams")
        for statement in narrowing(teams):
            named = re.sub(r"\bmarts\.", f"{self._settings.marts_schema}.", statement)
            self._write(sql.SQL(named))

    def _write(self, statement: sql.SQL | sql.Composed) -> None:
        """Run what makes something of this connection's own."""
        self._db.execute("begin read write")
        self._db.execute(statement)
        self._db.execute("commit")
