"""What a warehouse keeps from one build to the next, and when it must not (decision 0046)."""

import hashlib

import duckdb

from pipeledger.empty_warehouse import declared_relations
from pipeledger.project import ROOT

_CODE = {".sql", ".csv"}


def basis_of(variables: str, version_id: str) -> str:
    """What every kept row was computed by: models, macros, seeds, variables and database.

    ``variables`` are dbt's, as text; ``version_id`` is the expression that names a landed
    version.
    """
    told = hashlib.sha256()
    files = (path for path in (ROOT / "dbt_project").rglob("*") if path.suffix in _CODE)
    for path in sorted([*files, ROOT / "dbt_project.yml"]):
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

    dbt writes ``int_deals_built`` after all histories, and it is taken away here: a build that
    is killed among the histories leaves none, so that the next one trusts none of them.
    """
    found = db.execute(
        "select 1 from information_schema.tables "
        "where table_schema = 'intermediate' and table_name = 'int_deals_built'"
    ).fetchone()
    db.execute("begin")
    db.execute("delete from state.deals_built")
    if found is not None:
        db.execute("insert into state.deals_built from intermediate.int_deals_built")
        db.execute("drop table intermediate.int_deals_built")
    db.execute("commit")
