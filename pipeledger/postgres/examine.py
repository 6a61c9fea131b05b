"""Doctor's look at PostgreSQL: does it answer, and does the role hold the rights it needs."""

from typing import Any

import psycopg

from connectors.base.redact import redact
from pipeledger.postgres import rights
from pipeledger.postgres.publishing import connect, explain
from pipeledger.settings.postgres import PostgresServing

OLDEST = 130_000


def examine_postgres(settings: PostgresServing) -> dict[str, Any]:
    """Sign in and report: ok, account, lines for people."""
    try:
        with connect(settings) as connection:
            return _examine(connection, settings)
    except psycopg.Error as error:
        return {"ok": False, "account": "cannot be opened", "lines": [redact(explain(error))]}


def _examine(connection: psycopg.Connection[Any], settings: PostgresServing) -> dict[str, Any]:
    info = connection.info
    account = f"{info.user} at {info.dbname}, PostgreSQL {info.server_version // 10_000}"
    missing: list[str] = []
    lines: list[str] = []
    if info.server_version < OLDEST:
        missing.append("PostgreSQL 13 or newer is needed.")
    elif info.server_version < 150_000:
        lines.append("marts that are views, such as fct_deal_daily, need PostgreSQL 15")
    may_create = _one(connection, "select has_database_privilege(current_database(), 'create')")
    for name in (settings.marts_schema, settings.meta_schema):
        owner = _one(
            connection,
            "select case when to_regnamespace(%s) is null then %s else "
            "has_schema_privilege(to_regnamespace(%s), 'create') end",
            (name, may_create, name),
        )
        if not owner:
            missing.append(
                f"may create nothing in schema {name}. An administrator does it once: create "
                f"schema {name} authorization {info.user};"
            )
    may_make_roles, is_super = connection.execute(
        "select rolcreaterole, rolsuper from pg_roles where rolname = current_user"
    ).fetchone() or (False, False)
    absent = rights.missing_roles(connection, settings)
    if absent and may_make_roles:
        lines.append(f"roles that the first publication makes: {', '.join(absent)}")
    elif absent:
        statements = "; ".join(f"create role {name} nologin" for name in absent)
        missing.append(f"roles are missing. An administrator does it once: {statements};")
    if is_super:
        lines.append("more than needed: superuser. Publish as a role that owns these schemas.")
    if not settings.teams:
        lines.append(f"{settings.reader_role} sees every row: serving.postgres.teams is empty")
    return {"ok": not missing, "account": account, "lines": [*missing, *lines]}


def _one(connection: psycopg.Connection[Any], query: str, parameters: Any = ()) -> Any:
    found = connection.execute(query, parameters).fetchone()
    return None if found is None else found[0]
