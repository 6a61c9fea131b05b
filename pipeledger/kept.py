"""What a warehouse keeps from one build to the next, and when it must not (decision 0046)."""

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import duckdb

from pipeledger.empty_warehouse import declared_relations
from pipeledger.project import ROOT, dbt_files

_CODE = (".sql", ".csv", "_sources.yml", "_seeds.yml")
"""Ends of the names of files that say what a kept row, a view or a seed is."""


def basis_of(variables: str, version_id: str) -> str:
    """What every kept row was computed by: models, macros, seeds, variables and database.

    ``variables`` are dbt's, as text; ``version_id`` is the expression that names a landed
    version.
    """
    told = hashlib.sha256()
    for path in map(Path, dbt_files(*_CODE)):
        told.update(f"\n{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    told.update(f"\n{variables}\n{version_id}\n{duckdb.__version__}".encode())
    return told.hexdigest()


def keep_only_of(db: duckdb.DuckDBPyConnection, basis: str) -> None:
    """Drop all that was built on another basis, so that dbt builds it anew from landing."""
    db.execute("begin")
    db.execute("create schema if not exists state")
    db.execute("create table if not exists state.basis (basis varchar)")
    if db.execute("select basis from state.basis").fetchall() != [(basis,)]:
        schemas = db.execute(
            "select schema_name from duckdb_schemas() "
            "where database_name = current_database() and not internal"
        ).fetchall()
        for (name,) in schemas:
            if name != "main":
                db.execute(f'drop schema "{name}" cascade')
        db.execute("create schema state")
        db.execute("create table state.basis (basis varchar)")
        db.execute("insert into state.basis values (?)", [basis])
    for schema, table, columns in declared_relations():
        if schema == "state":
            typed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            db.execute(f'create table if not exists state."{table}" ({typed})')
    db.execute("commit")


def hand_over_built_deals(db: duckdb.DuckDBPyConnection) -> None:
    """Show this build what the last whole one was made of; nothing, if there was none since.

    dbt writes ``int_deals_built`` after all histories, ``int_pipeline_built`` after the movement
    and the funnels, and both are taken away here: a build that is killed among them leaves none,
    so that the next one trusts none of them.
    """
    found = db.execute(
        "select table_name from information_schema.tables where table_schema = 'intermediate'"
    ).fetchall()
    db.execute("begin")
    for built in ("deals_built", "pipeline_built"):
        db.execute(f"truncate state.{built}")
        if (f"int_{built}",) in found:
            db.execute(f"insert into state.{built} from intermediate.int_{built}")
            db.execute(f"drop table intermediate.int_{built}")
    db.execute("commit")


def standing_relations(db: duckdb.DuckDBPyConnection) -> frozenset[tuple[str, str]]:
    """(schema, name) of each view and table in the file."""
    rows = db.execute(
        "select schema_name, view_name from duckdb_views() where not internal "
        "union all select schema_name, table_name from duckdb_tables()"
    ).fetchall()
    return frozenset((str(schema), str(name)) for schema, name in rows)


def unchanged(manifest: Any, standing: Collection[tuple[str, str]]) -> list[Any]:
    """The nodes of dbt's manifest that a build need not make again.

    A view is its text and a seed its file, and both belong to the basis of all that stands in
    the warehouse. The instant of a build does not, nor which deals it computes: a view that
    names either is made anew.
    """
    naming = {"macro.pipeledger.as_of_at", "macro.pipeledger.are_deals_kept"}
    known = 0
    while known < len(naming):
        known = len(naming)
        naming |= {
            name for name, one in manifest.macros.items() if naming & {*one.depends_on.macros}
        }
    return [
        node
        for node in manifest.nodes.values()
        if node.config.materialized in {"view", "seed"}
        and (node.schema, node.alias) in standing
        and not naming & {*node.depends_on.macros}
    ]
