"""Who looks, and which rows they may see.

A proxy signs people in and names them in a header. A viewer of some teams reads every mart through
a view that holds only what is theirs. The rule goes by the mart's columns; a mart that no rule
covers is empty for them, so a page cannot forget to filter.
"""

from dataclasses import dataclass

import duckdb

from pipeledger.settings.dashboard import Dashboard

OPEN_TO_ALL = frozenset(
    {"dim_date", "dim_fiscal_period", "dim_pipeline", "dim_stage", "fct_fx_rate"}
)
"""Marts without people, customers or money."""

_TEAM = "team_key in (select team_key from _teams)"
_USER = "in (select user_key from _users)"
_DEAL = "deal_key in (select deal_key from _deals)"
_RULES = (
    (
        {"scope_type", "scope_key"},
        (
            "(scope_type = 'team' and scope_key in (select team_key from _teams)) "
            f"or (scope_type in ('user', 'owner') and scope_key {_USER})"
        ),
    ),
    ({"team_key", "is_company_row"}, _DEAL),
    ({"team_key"}, _TEAM),
    (
        {"dimension", "member"},
        (
            "(dimension = 'team' and member in (select team_key from _teams)) "
            f"or (dimension = 'owner' and member {_USER})"
        ),
    ),
    ({"deal_key"}, _DEAL),
    ({"owner_user_key"}, f"owner_user_key {_USER}"),
    ({"invoice_key"}, "invoice_key in (select invoice_key from _invoices)"),
    ({"payment_key"}, "payment_key in (select payment_key from _payments)"),
    ({"contact_key", "contact_version_key"}, "contact_key in (select contact_key from _contacts)"),
)
"""By columns, the first that fits: which rows are of a viewer's teams."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who looks; ``teams`` is None for whoever may see all."""

    name: str | None = None
    teams: tuple[str, ...] | None = None


def viewer_of(settings: Dashboard, header: str | None) -> Viewer | None:
    """The viewer whom the proxy's header names; None if that is nobody who may look.

    Without ``user_header`` in the settings nobody signs in, and all may be seen.
    """
    if settings.user_header is None:
        return Viewer()
    for known in settings.viewers:
        if header and known.user.casefold() == header.strip().casefold():
            return Viewer(known.user, known.teams)
    return None


def rule(mart: str, columns: set[str]) -> str:
    """The condition on a mart's rows for a viewer of some teams; ``false`` if none fits."""
    if mart in OPEN_TO_ALL:
        return "true"
    for named, condition in _RULES:
        if named <= columns:
            return condition
    return "false"


def narrowing(teams: tuple[str, ...]) -> list[str]:
    """The statements that say whose rows a viewer of these teams may see."""
    named = ", ".join("('" + team.replace("'", "''") + "')" for team in ("", *teams))
    keys = {
        "_teams": f"select team_key from (values {named}) as named (team_key)",
        "_users": f"select user_key from marts.dim_user where is_current and {_TEAM}",
        "_deals": f"select deal_key from marts.fct_deal where owner_user_key {_USER}",
        "_invoices": (
            "select distinct invoice_key from marts.bridge_deal_invoice "
            f"where is_accepted and {_DEAL}"
        ),
        "_contacts": f"select distinct contact_key from marts.bridge_deal_contact where {_DEAL}",
        "_payments": (
            "select distinct payment_key from marts.fct_payment_allocation "
            "where payment_key is not null "
            "and invoice_key in (select invoice_key from _invoices)"
        ),
    }
    return [f"create temp table {name} as {query}" for name, query in keys.items()]


def narrow(db: duckdb.DuckDBPyConnection, teams: tuple[str, ...]) -> None:
    """Put a view of the viewer's rows before every mart, for this connection only."""
    for statement in narrowing(teams):
        db.execute(statement)
    found: dict[str, set[str]] = {}
    for mart, column in db.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = 'marts'"
    ).fetchall():
        found.setdefault(mart, set()).add(column)
    for mart, columns in found.items():
        db.execute(
            f'create temp view "{mart}" as select * from marts."{mart}" where {rule(mart, columns)}'
        )
