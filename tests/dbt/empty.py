"""A company of which nothing has landed: built and checked by dbt once, for all tests of dbt."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeledger.empty_warehouse import make_empty_warehouse

ROOT = Path(__file__).resolve().parents[2]


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
    """Where it lies, and what dbt said if it failed."""

    folder: Path
    fault: str

    @contextmanager
    def models(self, folder: Path, names: Iterable[str]) -> Iterator[Models]:
        """A copy of the warehouse in `folder`, with the compiled SQL of `schema/model` names."""
        assert not self.fault, self.fault
        path = folder / "empty.duckdb"  # the SQL names the database after its file
        shutil.copyfile(self.folder / "empty.duckdb", path)
        compiled = self.folder / "target" / "compiled" / "pipeledger" / "dbt_project" / "models"
        sql = {name: (compiled / f"{name}.sql").read_text(encoding="utf-8") for name in names}
        with duckdb.connect(str(path)) as db:
            db.execute("SET TimeZone = 'UTC'")
            yield Models(db, sql)


def dbt(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run dbt over a warehouse of its own; one process per command, as users do."""
    environment = {
        **os.environ,
        "PIPELEDGER_WAREHOUSE": str(folder / "empty.duckdb"),
        "DO_NOT_TRACK": "1",
    }
    program = Path(sys.executable).with_name("dbt")
    place = ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT)]
    paths = ["--target-path", str(folder / "target"), "--log-path", str(folder / "log")]
    return subprocess.run(
        [str(program), *command, *place, *paths],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def build_empty_company(folder: Path) -> EmptyCompany:
    """All models and checks over the relations that dbt reads, typed and without rows."""
    make_empty_warehouse(folder / "empty.duckdb")
    built = dbt(folder, "build", "--exclude-resource-type", "unit_test")
    return EmptyCompany(folder, "" if built.returncode == 0 else built.stdout[-6000:])
