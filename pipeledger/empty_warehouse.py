"""An empty warehouse: every relation that dbt reads, typed and without rows.

dbt's unit tests replace the rows of a model's inputs but take their column types from
the relations themselves, so those must exist. The list of relations is dbt's own: the
``_<source>__sources.yml`` files below ``dbt_project/models/staging``.

    python -m pipeledger.empty_warehouse target/warehouse.duckdb
"""

import argparse
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

STAGING = Path(__file__).resolve().parent.parent / "dbt_project" / "models" / "staging"

RAW_COLUMNS: Mapping[str, str] = {
    "connection": "VARCHAR",
    "record_id": "VARCHAR",
    "payload": "VARCHAR",
    "payload_hash": "BLOB",
    "change": "VARCHAR",
    "source_updated_at": "TIMESTAMPTZ",
    "observed_at": "TIMESTAMPTZ",
    "position": "BIGINT",
    "sync_id": "VARCHAR",
    "raw_version_id": "VARCHAR",
}
"""Columns of every ``raw.<source>__<stream>``: the landing's, and the version's own name."""


@cache
def declared_relations(
    staging: Path = STAGING,
) -> tuple[tuple[str, str, Mapping[str, str]], ...]:
    """(schema, table, column types) of each relation that the source files declare.

    A table without declared columns is a landed stream and has ``RAW_COLUMNS``. Read once: a
    process works by one state of the project.
    """
    found: list[tuple[str, str, Mapping[str, str]]] = []
    for path in sorted(staging.glob("*/_*__sources.yml")):
        declared: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        for source in declared["sources"]:
            for table in source["tables"]:
                columns = {c["name"]: c["data_type"] for c in table.get("columns", ())}
                name = table.get("identifier", table["name"])
                found.append((source["schema"], name, columns or RAW_COLUMNS))
    return tuple(found)


def make_empty_warehouse(path: Path, staging: Path = STAGING) -> int:
    """Create at ``path`` all declared relations that are missing; return how many exist now.

    An existing file keeps its tables and views: the call only adds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with duckdb.connect(str(path)) as warehouse:
        for schema, table, columns in declared_relations(staging):
            definition = ", ".join(f'"{name}" {type_}' for name, type_ in columns.items())
            warehouse.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            known = warehouse.execute(
                "SELECT count(*) FROM information_schema.tables"
                " WHERE table_schema = ? AND table_name = ?",
                [schema, table],
            ).fetchone()
            if known == (0,):
                warehouse.execute(f'CREATE TABLE "{schema}"."{table}" ({definition})')
            count += 1
    return count


def main() -> None:
    """Make the file named on the command line and say what it holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("path", type=Path, help="the DuckDB file to make")
    path = parser.parse_args().path
    print(f"{path}: {make_empty_warehouse(path)} empty relations")


if __name__ == "__main__":
    main()
