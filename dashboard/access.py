"""Who looks, and which rows they may see.

A proxy signs people in and names them in a header. A viewer of some teams reads every mart through
a view that holds only what is theirs. The rule goes by the mart's columns; a mart that no rule
covers is empty for them, so a page cannot forget to filter.
"""

from dataclasses import dataclass

import duckdb

from pipeledger.settings.model import Dashboard

OPEN_TO_ALL = frozenset(
    {"dim_date", "dim_fiscal_period", "dim_pipeline", "dim_stage", "fct_fx_rate"}
)
"""Marts without people, customers or money."""

_TEAM = "team_key in (select team_key from _teams)"
_USER = "in (select user_key from _users)"
_DEAL = "deal_key in (select deal_key from _deals)"


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
    if {"scope_type", "scope_key"} <= columns:
        return (
            "(scope_type = 'team' and scope_key in (select team_key from _teams)) "
            f"or (scope_type in ('user', 'owner') and scope_key {_USER})"
        )
    if "team_key" in columns:
        return _TEAM
    if {"dimension", "member"} <= columns:
        return (
            "(dimension = 'team' and member in (select team_key from _teams)) "
            f"or (dimension = 'owner' and member {_USER})"
        )
    if "deal_key" in columns:
        return _DEAL
    if "owner_user_key" in columns:
        return f"owner_user_key {_USER}"
    if "invoice_key" in columns:
        return "invoice_key in (select invoice_key from _invoices)"
    if "payment_key" in columns:
        return "payment_key in (select payment_key from _payments)"
    return "false"


def narrow(db: duckdb.DuckDBPyConnection, teams: tuple[str, ...]) -> None:
    """Put a view of the viewer's rows before every mart, for this connection only."""
    db.execute("create temp table _teams (team_key varchar)")
    for team in teams:
        db.execute("insert into _teams values (?)", [team])
    db.execute(
        "create temp table _users as select user_key from marts.dim_user "
        f"where is_current and {_TEAM}"  # noqa: S608 - a condition of ours
    )
    db.execute(
        "create temp table _deals as select deal_key from marts.fct_deal "
        f"where owner_user_key {_USER}"  # noqa: S608 - a condition of ours
    )
    db.execute(
        "create temp table _invoices as select distinct invoice_key from marts.bridge_deal_invoice "
        f"where is_accepted and {_DEAL}"  # noqa: S608 - a condition of ours
    )
    db.execute(
        "create temp table _payments as select distinct payment_key "
        "from marts.fct_payment_allocation where payment_key is not null "
        "and invoice_key in (select invoice_key from _invoices)"
    )
    found: dict[str, set[str]] = {}
    for mart, column in db.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = 'marts'"
    ).fetchall():
        found.setdefault(mart, set()).add(column)
    for mart, columns in found.items():
        db.execute(
            f'create temp view "{mart}" as select * from marts."{mart}" '  # noqa: S608 - names of the catalogue
            f"where {rule(mart, columns)}"
        )
