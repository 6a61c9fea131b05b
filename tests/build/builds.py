"""Builds made by hand, small enough to publish by the dozen; and a child that publishes."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from pydantic import SecretStr

from pipeledger.build import BuildReport, Failure
from pipeledger.publish import publish
from pipeledger.settings import Settings
from pipeledger.settings.model import Paths
from pipeledger.settings.postgres import PostgresServing, Serving
from pipeledger.warehouse import BUILD_INPUTS, SOURCE_STATUS, SYNC_RUNS, fill

AS_OF = datetime(2026, 10, 15, 6, tzinfo=UTC)
ROWS = 2_000


def settings_in(folder: Path, postgres: PostgresServing | None = None) -> Settings:
    """Settings whose every path lies in the folder."""
    return Settings(
        serving=Serving(postgres=postgres),
        paths=Paths(
            landing=str(folder / "landing"),
            warehouse=folder / "warehouse",
            serving=folder / "serving",
            state=folder / "state",
        ),
    )


def built(folder: Path, number: int, *, failures: tuple[Failure, ...] = ()) -> BuildReport:
    """A build whose two marts both say ``number`` in every row."""
    path = folder / "warehouse" / "pipeledger.duckdb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as db:
        for schema in ("marts", "meta", "staging"):
            db.execute(f"create schema {schema}")
        for name in ("fct_deal", "fct_invoice"):
            db.execute(
                f"create table marts.{name} as select i as key, {number} as build, "
                f"'raw:' || {number} as raw_version_id from range({ROWS}) as r(i)"
            )
        db.execute("create table staging.stg_secret as select 'not for readers' as value")
        for name, columns in (
            ("sync_runs", SYNC_RUNS),
            ("build_inputs", BUILD_INPUTS),
            ("source_status", SOURCE_STATUS),
        ):
            fill(db, "meta", name, columns, [])
    manifest = path.parent / "dbt" / "manifest.json"
    manifest.parent.mkdir(exist_ok=True)
    node = {
        "resource_type": "model",
        "schema": "marts",
        "name": "fct_deal",
        "description": "One row per deal; the customer's own.",
        "columns": {"key": {"name": "key", "description": "The deal's key."}},
    }
    manifest.write_text(json.dumps({"nodes": {"model.fct_deal": node}}))
    build_id = f"20261015T060000{number:06d}-beef"
    return BuildReport(build_id, AS_OF, path, models=2, checks=1, failures=list(failures))


def read(serving: Path) -> tuple[int, int]:
    """What a reader sees through the link: the one number of all rows, and how many rows.

    Raises:
        ValueError: the reader saw a mixture.
    """
    with duckdb.connect(str((serving / "current.duckdb").resolve()), read_only=True) as db:
        found = db.execute(
            "select min(build), max(build), count(*) from "
            "(select build from marts.fct_deal union all select build from marts.fct_invoice)"
        ).fetchone()
    if found is None or found[0] != found[1]:
        raise ValueError(f"a mixture of builds: {found}")
    return int(found[0]), int(found[2])


def main() -> None:
    """Publish build after build until killed: ``builds.py <folder> <first number> <dsn>``."""
    folder, first = Path(sys.argv[1]), int(sys.argv[2])
    settings = settings_in(folder, PostgresServing(dsn=SecretStr(sys.argv[3])))
    for number in range(first, first + 1_000):
        publish(settings, built(folder, number))
        print(number, flush=True)


if __name__ == "__main__":
    main()
