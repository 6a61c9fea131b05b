"""A company of which nothing has landed: built and checked by dbt once, for all tests of dbt."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeledger.dbt_runs import Dbt
from pipeledger.empty_warehouse import make_empty_warehouse
from pipeledger.manifest import whole_manifest

AS_OF = "2026-10-15T06:00:00Z"
"""The instant that dbt_project.yml names, for whoever gives none."""


class Models:
    """A warehouse whose inputs a test fills, and the SQL that dbt compiled of some models.

    No dataclass: hypothesis would print all of the SQL beside a failing example.
    """

    def __init__(self, db: duckdb.DuckDBPyConnection, sql: dict[str, str]) -> None:
        self.db = db
        self.sql = sql

    def rebuild(self) -> None:
        """Compute the models anew from what stands in the warehouse, in the order given."""
        for name, sql in self.sql.items():
            schema, model = name.split("/")
            self.db.execute(f"CREATE OR REPLACE TABLE {schema}.{model} AS {sql}")

    def insert(self, table: str, **values: object) -> None:
        """Add one row that states only some of the columns."""
        marks = ", ".join("?" for _ in values)
        self.db.execute(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})",
            list(values.values()),
        )


@dataclass(frozen=True)
class EmptyCompany:
    """Where it lies, the dbt that made it, and what dbt said of each model and check."""

    folder: Path
    dbt: Dbt
    built: list[Any]

    @contextmanager
    def models(self, folder: Path, names: Iterable[str]) -> Iterator[Models]:
        """A copy of the warehouse in `folder`, with the compiled SQL of `schema/model` names."""
        assert {} == faults(self.built)
        path = folder / "empty.duckdb"  # the SQL names the database after its file
        shutil.copyfile(self.folder / "empty.duckdb", path)
        compiled = self.folder / "dbt" / "compiled" / "pipeledger" / "dbt_project" / "models"
        sql = {name: (compiled / f"{name}.sql").read_text(encoding="utf-8") for name in names}
        with duckdb.connect(str(path)) as db:
            db.execute("SET TimeZone = 'UTC'")
            yield Models(db, sql)

    def run(self, *command: str) -> list[Any]:
        """The results of a command of dbt over the warehouse."""
        with _environment(self.folder):
            return self.dbt.run(*command)[0]


def faults(results: list[Any]) -> dict[str, str]:
    """What went wrong, by the name of the model or test."""
    good = {"success", "pass", "warn", "no-op"}
    return {one.node.name: str(one.message) for one in results if str(one.status) not in good}


@contextmanager
def _environment(folder: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIPELEDGER_WAREHOUSE", str(folder / "empty.duckdb"))
        patch.setenv("DO_NOT_TRACK", "1")
        yield


def build_empty_company(folder: Path) -> EmptyCompany:
    """All models and checks over the relations that dbt reads, typed and without rows."""
    path = folder / "empty.duckdb"
    make_empty_warehouse(path)
    with _environment(folder):
        # No variable is given: those of dbt_project.yml configure every source.
        dbt = Dbt(path, "{}", whole_manifest(path))
        return EmptyCompany(
            folder, dbt, dbt.run("build", "--exclude-resource-type", "unit_test")[0]
        )
