"""Who reads what in PostgreSQL: roles, grants by column, rows by team.

Without ``[serving.postgres.teams]`` the reader role sees every row. With it, a role sees the rows
of its teams: those of the people in them and of everybody who reports to these people. What a
mart's rows belong to is read off its columns (`rule_of`); a mart that belongs to no team is hidden
unless ``shared_marts`` names it.
"""

from collections.abc import Sequence
from typing import Any

import duckdb
import psycopg
from psycopg import sql

from connectors.base.errors import PipeledgerError
from pipeledger.postgres.shape import Table
from pipeledger.settings.postgres import PostgresServing

POLICY = "pipeledger_team"
OWNERS = ("owner_user_key", "user_key", "submitter_user_key", "descendant_user_key")
_OWN = "select key from {meta}.reader_scope where kind = "
_USERS, _TEAMS = f"({_OWN}'user')", f"({_OWN}'team')"
RULES = {
    "scope": f"(scope_type = 'team' and scope_key in {_TEAMS}) or "
    f"(scope_type in ('user', 'owner', 'manager') and scope_key in {_USERS})",
    "owner": f"{{column}} in {_USERS}",
    "deal": "deal_key in (select deal_key from {marts}.fct_deal)",
    "invoice": "invoice_key in (select invoice_key from {marts}.bridge_deal_invoice)",
    "company": "company_key in (select company_key from {marts}.bridge_deal_company)",
    "contact": "contact_key in (select contact_key from {marts}.bridge_deal_contact)",
    "shared": "true",
    "hidden": "false",
}
"""Which rows a role sees, by what they belong to. A subquery over a mart sees that mart's own
visible rows alone: a quote line is seen with its deal, an invoice with a deal that it is linked to.
"""
_MARTS_BEHIND = {
    "deal": "fct_deal",
    "invoice": "bridge_deal_invoice",
    "company": "bridge_deal_company",
    "contact": "bridge_deal_contact",
}


def rule_of(table: Table, settings: PostgresServing, marts: Sequence[str]) -> tuple[str, str]:
    """What the rows of a mart belong to (a key of RULES), and the column that says so.

    Companies and contacts are seen with a deal; sums over a company hold the deals of other
    teams too and are hidden, as is every sum over the whole company.
    """
    if table.name in settings.shared_marts:
        return "shared", ""
    if table.has("scope_type", "scope_key"):
        return "scope", ""
    owner = next((name for name in OWNERS if table.has(name)), None)
    if owner is not None:
        return "owner", owner
    for rule, column in (("deal", "deal_key"), ("invoice", "invoice_key")):
        if table.has(column) and _MARTS_BEHIND[rule] in marts:
            return rule, column
    for rule, name in (("company", "dim_company"), ("contact", "dim_contact")):
        if table.name == name and _MARTS_BEHIND[rule] in marts:
            return rule, ""
    return "hidden", ""


def policy_of(table: Table, settings: PostgresServing, marts: Sequence[str]) -> str | None:
    """The condition of a mart's policy; None where every reader sees every row."""
    if not settings.teams:
        return None
    rule, column = rule_of(table, settings, marts)
    meta, schema = settings.meta_schema, settings.marts_schema
    condition = RULES[rule].format(meta=meta, marts=schema, column=column)
    everything = f"exists (select from {meta}.reader_scope where kind = 'all')"
    return condition if rule == "shared" else f"{everything} or {condition}"


def make_roles(connection: psycopg.Connection[Any], settings: PostgresServing) -> None:
    """Make the roles of the settings that are missing, none of which can sign in.

    Raises:
        PipeledgerError: roles are missing and ours may not make any; says the statements.
    """
    missing = missing_roles(connection, settings)
    wanted = roles_of(settings)
    reader = sql.Identifier(settings.reader_role)
    try:
        for name in missing:
            connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(name)))
        for name in wanted[1:]:
            if not _is_member(connection, name, settings.reader_role):
                connection.execute(sql.SQL("grant {} to {}").format(reader, sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege:
        statements = [f"create role {name} nologin;" for name in missing]
        statements += [f"grant {settings.reader_role} to {name};" for name in wanted[1:]]
        raise PipeledgerError(
            "the role that publishes may make no roles. An administrator does it once: "
            + " ".join(statements)
        ) from None


def roles_of(settings: PostgresServing) -> list[str]:
    """The reader role, then every role that the settings give rows to."""
    others = {role for roles in settings.teams.values() for role in roles}
    others |= set(settings.all_rows)
    return [settings.reader_role, *sorted(others - {settings.reader_role})]


def missing_roles(connection: psycopg.Connection[Any], settings: PostgresServing) -> list[str]:
    """The roles of the settings that are not there."""
    wanted = roles_of(settings)
    found = connection.execute(
        "select rolname from pg_roles where rolname = any(%s)", [wanted]
    ).fetchall()
    return [name for name in wanted if (name,) not in found]


def _is_member(connection: psycopg.Connection[Any], member: str, group: str) -> bool:
    found = connection.execute("select pg_has_role(%s, %s, 'usage')", [member, group]).fetchone()
    return found is not None and bool(found[0])


def grant(
    connection: psycopg.Connection[Any],
    table: Table,
    settings: PostgresServing,
    policy: str | None,
) -> None:
    """Let the reader role read a mart: its columns but the restricted, its team's rows."""
    name = sql.Identifier(settings.marts_schema, table.name)
    reader = sql.Identifier(settings.reader_role)
    shown = [c for c in table.columns if not settings.is_restricted(table.name, c.name)]
    connection.execute(sql.SQL("revoke all on {} from {}").format(name, reader))
    if shown:
        columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in shown)
        connection.execute(sql.SQL("grant select ({}) on {} to {}").format(columns, name, reader))
    secure(connection, name, policy)


def secure(connection: psycopg.Connection[Any], table: sql.Identifier, policy: str | None) -> None:
    """Put a policy on a table, or take it off. A role of no team sees no row."""
    named = {"table": table, "policy": sql.Identifier(POLICY)}
    connection.execute(sql.SQL("drop policy if exists {policy} on {table}").format(**named))
    if policy is None:
        connection.execute(
            sql.SQL("alter table {table} disable row level security").format(**named)
        )
        return
    condition = sql.SQL(policy)
    connection.execute(
        sql.SQL("create policy {policy} on {table} for select using ({condition})").format(
            **named, condition=condition
        )
    )
    connection.execute(sql.SQL("alter table {table} enable row level security").format(**named))


def secured(connection: psycopg.Connection[Any], schema: str) -> set[str]:
    """The tables of a schema whose rows a policy of ours guards."""
    found = connection.execute(
        "select c.relname from pg_class as c join pg_policy as p on p.polrelid = c.oid "
        "where c.relnamespace = to_regnamespace(%s) and c.relrowsecurity and p.polname = %s",
        [schema, POLICY],
    ).fetchall()
    return {str(name) for (name,) in found}


def write_scopes(
    connection: psycopg.Connection[Any],
    db: duckdb.DuckDBPyConnection,
    settings: PostgresServing,
) -> None:
    """Write down which people and teams each role sees, by today's teams and reporting lines."""
    table = sql.Identifier(settings.meta_schema, "reader_scope")
    rows: set[tuple[str, str, str]] = {(role, "all", "") for role in settings.all_rows}
    for team, roles in settings.teams.items():
        users, teams = _below(db, team)
        for role in roles:
            rows |= {(role, "user", user) for user in users}
            rows |= {(role, "team", one) for one in teams}
    connection.execute(sql.SQL("delete from {}").format(table))
    with connection.cursor() as cursor:
        cursor.executemany(
            sql.SQL("insert into {} values (%s, %s, %s)").format(table), sorted(rows)
        )


def _below(db: duckdb.DuckDBPyConnection, team: str) -> tuple[set[str], set[str]]:
    """The people of a team with all who report to them, and the teams that are wholly theirs."""
    members: dict[str, set[str]] = {}
    for user, one in db.execute(
        "select user_key, team_key from marts.dim_user where is_current and team_key is not null"
    ).fetchall():
        members.setdefault(one, set()).add(user)
    users = set(members.get(team, ()))
    below = db.execute(
        "select descendant_user_key from marts.bridge_user_hierarchy "
        "where valid_to is null and list_contains(?, ancestor_user_key)",
        [sorted(users)],
    ).fetchall()
    users |= {str(user) for (user,) in below}
    return users, {team} | {name for name, people in members.items() if people <= users}
