"""A published file into PostgreSQL: all marts in one transaction, beside the flip of the link.

    lock -> roles, tables -> DELETE and COPY of what changed -> meta -> (flip) -> commit -> VACUUM

Readers see the whole old build or the whole new one. A failure leaves the old one in place, and
does not hold back the serving file.
"""

import hashlib
import io
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg import sql

from connectors.base.errors import PipeledgerError
from pipeledger.crash import crash_point
from pipeledger.locks import LockHeldError
from pipeledger.postgres import rights, shape
from pipeledger.postgres.outcome import Outcome
from pipeledger.postgres.shape import Table
from pipeledger.settings.postgres import PostgresServing

LOCK_WAIT_SECONDS = 30.0
_ROWS_AT_ONCE = 50_000
_FOR_READERS = ("builds", "marts", "source_status", "sync_runs", "build_inputs")
"""Tables of meta that readers see. Failed checks name records of every team: they stay ours."""
_OURS = {
    "published": "mart text primary key, n_rows bigint, fingerprint text, shape text",
    "reader_scope": "database_role text, kind text, key text",
}
_VIEWS = "select view_name from duckdb_views() where schema_name = 'marts' order by view_name"
_SCOPE_POLICY = (
    "database_role in (select rolname::text from pg_roles where pg_has_role(oid, 'usage'))"
)


class Staged:
    """A build that lies in PostgreSQL and that nobody sees until ``commit``."""

    def __init__(self, settings: PostgresServing, build_id: str) -> None:
        self.outcome = Outcome(build_id)
        self._settings = settings
        self._connection: psycopg.Connection[Any] | None = None

    def write(self, path: Path) -> None:
        """Write the file's marts into an open transaction; a failure is kept in the outcome."""
        try:
            self._connection = connect(self._settings)
            _write(self._connection, path, self._settings, self.outcome)
        except (psycopg.Error, PipeledgerError) as error:
            self._fail(error)

    def commit(self) -> Outcome:
        """Show the build to readers; afterwards the planner learns of it and old rows are freed."""
        if self._connection is not None and self.outcome.error is None:
            try:
                crash_point("before-postgres-commit")
                self._connection.commit()
            except psycopg.Error as error:
                self._fail(error)
            else:
                _vacuum(self._connection, self._settings, self.outcome)
        return self.outcome

    def close(self) -> None:
        """Give the connection back; what was not committed is gone."""
        if self._connection is not None:
            self._connection.close()

    def _fail(self, error: Exception) -> None:
        self.outcome.error = explain(error)
        self.outcome.is_locked = isinstance(error, LockHeldError)
        self.close()


@contextmanager
def staged(settings: PostgresServing, path: Path, build_id: str) -> Iterator[Staged]:
    """The build of a serving file in PostgreSQL, uncommitted."""
    found = Staged(settings, build_id)
    try:
        found.write(path)
        yield found
    finally:
        found.close()


def connect(settings: PostgresServing) -> psycopg.Connection[Any]:
    """Sign in, in UTC and under a name that tells others who holds a lock."""
    connection = psycopg.connect(
        settings.dsn.get_secret_value(),
        connect_timeout=10,
        application_name=f"pipeledger {socket.gethostname()} {os.getpid()}"[:63],
    )
    # A publisher that hangs gives its locks back; a killed one does as its connection ends.
    for name, value in (
        ("timezone", "UTC"),
        ("client_encoding", "UTF8"),
        ("lock_timeout", f"{settings.lock_timeout_seconds}s"),
        ("idle_in_transaction_session_timeout", "30min"),
    ):
        connection.execute("select set_config(%s, %s, false)", [name, value])
    connection.commit()
    return connection


def explain(error: Exception) -> str:
    """An error in words that help, and that hold no address with a password in it."""
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return (
            "a reader or another program holds a table longer than "
            "serving.postgres.lock_timeout_seconds, and the build changes its shape. End its "
            "transaction (pg_stat_activity tells it) and publish again"
        )
    return " ".join(str(error).split())


def _write(
    connection: psycopg.Connection[Any], path: Path, settings: PostgresServing, outcome: Outcome
) -> None:
    _lock(connection, settings)
    rights.make_roles(connection, settings)
    _make_schemas(connection, settings)
    with duckdb.connect(str(path), read_only=True) as db:
        db.execute("set timezone = 'UTC'")
        _write_meta(connection, db, settings)
        _write_marts(connection, db, settings, outcome)
        _write_views(connection, db, settings, outcome)
        if settings.teams:
            rights.write_scopes(connection, db, settings)


def _lock(connection: psycopg.Connection[Any], settings: PostgresServing) -> None:
    """Be the only publisher of these schemas, on whatever machine the others run."""
    name = f"pipeledger:{settings.marts_schema}"
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        found = connection.execute(
            "select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name]
        ).fetchone()
        if found is not None and found[0]:
            return
        if time.monotonic() >= deadline:
            holder = connection.execute(
                "select coalesce(a.application_name, 'another role'), l.pid from pg_locks as l "
                "left join pg_stat_activity as a on a.pid = l.pid "
                "where l.locktype = 'advisory' and l.granted and l.objsubid = 1 "
                "and (l.classid::bigint << 32) | l.objid::bigint = hashtextextended(%s, 0)",
                [name],
            ).fetchone()
            who, pid = holder or ("nobody any more", 0)
            raise LockHeldError(
                f"schema {settings.marts_schema} is being published by {who!r} (server process "
                f"{pid}). Wait until it ends; `select pg_terminate_backend({pid})` ends one that "
                "hangs"
            )
        time.sleep(0.2)


def _make_schemas(connection: psycopg.Connection[Any], settings: PostgresServing) -> None:
    reader = sql.Identifier(settings.reader_role)
    for name in (settings.marts_schema, settings.meta_schema):
        known = connection.execute("select to_regnamespace(%s)::oid", [name]).fetchone()
        if known == (None,):
            connection.execute(sql.SQL("create schema {}").format(sql.Identifier(name)))
        allowed = connection.execute(
            "select has_schema_privilege(%s, %s, 'usage')", [settings.reader_role, name]
        ).fetchone()
        if allowed == (False,):
            place = sql.Identifier(name)
            connection.execute(sql.SQL("grant usage on schema {} to {}").format(place, reader))
    known_tables = shape.standing(connection, settings.meta_schema)
    for name, columns in _OURS.items():
        if name not in known_tables:
            table = sql.Identifier(settings.meta_schema, name)
            typed = sql.SQL(columns)
            connection.execute(sql.SQL("create table {} ({})").format(table, typed))
    scopes = sql.Identifier(settings.meta_schema, "reader_scope")
    if "reader_scope" not in rights.secured(connection, settings.meta_schema):
        rights.secure(connection, scopes, _SCOPE_POLICY)
        connection.execute(sql.SQL("grant select on {} to {}").format(scopes, reader))


def _write_meta(
    connection: psycopg.Connection[Any], db: duckdb.DuckDBPyConnection, settings: PostgresServing
) -> None:
    known = shape.standing(connection, settings.meta_schema)
    for table in shape.tables_of(db, "meta"):
        name = sql.Identifier(settings.meta_schema, table.name)
        _delete(connection, name)
        if known.get(table.name) != {column.name: column.type for column in table.columns}:
            shape.reshape(connection, settings.meta_schema, table, known.get(table.name))
            if table.name in _FOR_READERS:
                reader = sql.Identifier(settings.reader_role)
                connection.execute(sql.SQL("grant select on {} to {}").format(name, reader))
        _copy(connection, db, "meta", table, name)


def _delete(connection: psycopg.Connection[Any], table: sql.Identifier) -> None:
    """Empty a table if there is one. Not TRUNCATE: an older snapshot would see no row."""
    if connection.execute("select to_regclass(%s)::oid", [table.as_string()]).fetchone() != (None,):
        connection.execute(sql.SQL("delete from {}").format(table))


def _write_marts(
    connection: psycopg.Connection[Any],
    db: duckdb.DuckDBPyConnection,
    settings: PostgresServing,
    outcome: Outcome,
) -> None:
    schema = settings.marts_schema
    published = sql.Identifier(settings.meta_schema, "published")
    before = {
        str(mart): (fingerprint, form)
        for mart, fingerprint, form in connection.execute(
            sql.SQL("select mart, fingerprint, shape from {}").format(published)
        )
    }
    tables = shape.tables_of(db, "marts")
    names = [table.name for table in tables]
    known = shape.standing(connection, schema)
    policies = {table.name: rights.policy_of(table, settings, names) for table in tables}
    forms = {table.name: _form(table, settings, policies[table.name]) for table in tables}
    guarded = rights.secured(connection, schema)
    reshaped = [
        table
        for table in tables
        if before.get(table.name, ("", ""))[1] != forms[table.name]
        or not {c.name: c.type for c in table.columns}.items() <= known.get(table.name, {}).items()
        or (table.name in guarded) != (policies[table.name] is not None)
    ]
    for table in reshaped:
        _delete(connection, sql.Identifier(schema, table.name))
        outcome.notes += shape.reshape(connection, schema, table, known.get(table.name))
    for table in reshaped:  # a policy may ask any of the tables
        rights.grant(connection, table, settings, policies[table.name])
    for table in tables:
        rows, fingerprint = _fingerprint(db, table)
        if table not in reshaped and before[table.name][0] == fingerprint:
            outcome.equal += 1
            continue
        name = sql.Identifier(schema, table.name)
        _delete(connection, name)
        _copy(connection, db, "marts", table, name)
        _note(connection, settings, table.name, rows, fingerprint, forms[table.name])
        outcome.rewritten.append(table.name)
        crash_point("while-publishing-postgres")
    views = {str(name) for (name,) in db.execute(_VIEWS).fetchall()}
    for gone in sorted(set(before) - set(names) - views):
        _delete(connection, sql.Identifier(schema, gone))
        connection.execute(sql.SQL("delete from {} where mart = %s").format(published), [gone])
        outcome.notes.append(f"{gone} is no longer published; the table stays, empty")


def _form(table: Table, settings: PostgresServing, policy: str | None) -> str:
    """What a table's shape and rights come from; equal forms need no statement."""
    shown = [
        [c.name, c.type, c.comment, settings.is_restricted(table.name, c.name)]
        for c in table.columns
    ]
    text = json.dumps([table.comment, shown, policy, settings.reader_role])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _fingerprint(db: duckdb.DuckDBPyConnection, table: Table) -> tuple[int, str]:
    """Rows and a checksum of every value, in any order.

    Unlike that of meta.marts it knows ``raw_version_id`` too: what stands in PostgreSQL must be
    the build to the last column.
    """
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    found = db.execute(
        f"select count(*), sum(cast(hash({columns}) >> 8 as hugeint)) "  # noqa: S608 - names of ours
        f'from marts."{table.name}"'
    ).fetchall()
    return int(found[0][0]), str(found[0][1])


def _copy(
    connection: psycopg.Connection[Any],
    db: duckdb.DuckDBPyConnection,
    schema: str,
    table: Table,
    target: sql.Identifier,
) -> None:
    """Stream a table of the file into one of PostgreSQL, every value as its exact text."""
    from pyarrow import csv

    chosen = ", ".join(f'{c.as_text} as "{c.name}"' for c in table.columns)
    query = f'select {chosen} from {schema}."{table.name}"'  # noqa: S608 - names of ours
    # Every value quoted and nulls bare: an empty text stays one.
    options = csv.WriteOptions(include_header=False, quoting_style="all_valid")
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(target, columns)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for batch in db.sql(query).to_arrow_reader(_ROWS_AT_ONCE):
            text = io.BytesIO()
            csv.write_csv(batch, text, options)
            copy.write(text.getbuffer())


def _write_views(
    connection: psycopg.Connection[Any],
    db: duckdb.DuckDBPyConnection,
    settings: PostgresServing,
    outcome: Outcome,
) -> None:
    """The marts that are views, asked with their reader's own rights (PostgreSQL 15)."""
    found = db.execute(
        "select view_name, comment, sql, (select as_of from meta.builds) from duckdb_views() "
        "where schema_name = 'marts' order by view_name"
    ).fetchall()
    if connection.info.server_version < 150_000:
        outcome.notes += [f"{name} needs PostgreSQL 15" for name, *_ in found]
        return
    for name, comment, text, as_of in found:
        query = shape.view_text(text, settings.marts_schema, settings.meta_schema, as_of)
        form = hashlib.sha256(f"{query}{comment}{settings.reader_role}".encode()).hexdigest()[:32]
        view = sql.Identifier(settings.marts_schema, name)
        if _known_form(connection, settings, name) == form:
            continue
        try:
            with connection.transaction():
                connection.execute(sql.SQL("drop view if exists {}").format(view))
                connection.execute(
                    sql.SQL("create view {} with (security_invoker = true) as {}").format(
                        view,
                        sql.SQL(query),
                    )
                )
        except (psycopg.ProgrammingError, psycopg.NotSupportedError) as error:
            outcome.notes.append(f"the view {name} is not published: {explain(error)}")
            continue
        reader = sql.Identifier(settings.reader_role)
        connection.execute(sql.SQL("grant select on {} to {}").format(view, reader))
        shown = sql.Literal(comment)
        connection.execute(sql.SQL("comment on view {} is {}").format(view, shown))
        _note(connection, settings, name, 0, "", form)


def _known_form(
    connection: psycopg.Connection[Any], settings: PostgresServing, view: str
) -> str | None:
    """The form in which a view stands; None where it is not there."""
    published = sql.Identifier(settings.meta_schema, "published")
    found = connection.execute(
        sql.SQL(
            "select shape from {} join pg_views on viewname = mart where mart = %s "
            "and schemaname = %s"
        ).format(published),
        [view, settings.marts_schema],
    ).fetchone()
    return None if found is None else str(found[0])


def _note(
    connection: psycopg.Connection[Any],
    settings: PostgresServing,
    mart: str,
    rows: int,
    fingerprint: str,
    form: str,
) -> None:
    published = sql.Identifier(settings.meta_schema, "published")
    connection.execute(
        sql.SQL(
            "insert into {} values (%s, %s, %s, %s) on conflict (mart) do update set n_rows = "
            "excluded.n_rows, fingerprint = excluded.fingerprint, shape = excluded.shape"
        ).format(published),
        [mart, rows, fingerprint, form],
    )


def _vacuum(
    connection: psycopg.Connection[Any], settings: PostgresServing, outcome: Outcome
) -> None:
    """Tell the planner what came and free what went; readers have the build already."""
    try:
        connection.autocommit = True
        for name in outcome.rewritten:
            table = sql.Identifier(settings.marts_schema, name)
            connection.execute(sql.SQL("vacuum (analyze) {}").format(table))
    except psycopg.Error as error:
        outcome.notes.append(f"published, and not analysed: {explain(error)}")
