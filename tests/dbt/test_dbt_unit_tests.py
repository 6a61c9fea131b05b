"""dbt's unit tests: each worked example and edge case of the definitions."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipeledger.empty_warehouse import make_empty_warehouse

ROOT = Path(__file__).resolve().parents[2]


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


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_definition_is_pinned_by_a_dbt_unit_test(tmp_path: Path) -> None:
    """The inputs' types come from relations: an empty warehouse has them all."""
    make_empty_warehouse(tmp_path / "empty.duckdb")
    for command in (["seed"], ["run", "--empty"]):
        made = dbt(tmp_path, *command)
        assert 0 == made.returncode, made.stdout[-3000:]

    tested = dbt(tmp_path, "test", "--select", "test_type:unit")

    assert 0 == tested.returncode, tested.stdout[-6000:]
    results = json.loads((tmp_path / "target" / "run_results.json").read_text())["results"]
    assert len(results) > 100
    assert {} == misspelt_lane_columns(tmp_path)


def misspelt_lane_columns(folder: Path) -> dict[str, set[str]]:
    """Columns of each lane that its union does not know, and would drop without a word."""
    manifest = json.loads((folder / "target" / "manifest.json").read_text())
    columns: dict[str, set[str]] = {}
    with duckdb.connect(str(folder / "empty.duckdb"), read_only=True) as db:
        for table, column in db.execute(
            "select table_name, column_name from information_schema.columns"
        ).fetchall():
            columns.setdefault(table, set()).add(column)
    unions = {
        (node["name"], parent.rpartition(".")[2])
        for node in manifest["nodes"].values()
        for parent in node.get("depends_on", {}).get("nodes", ())
        if parent.rpartition(".")[2].startswith("lane_") and node["resource_type"] == "model"
    }
    assert unions, "no lane is united: the manifest has another shape than this test reads"
    unknown = {lane: columns[lane] - columns[union] for union, lane in unions}
    return {lane: names for lane, names in unknown.items() if names}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_empty_company_builds(tmp_path: Path) -> None:
    """First run, nothing landed: marts exist with no rows, and no check fails."""
    make_empty_warehouse(tmp_path / "empty.duckdb")

    built = dbt(tmp_path, "build", "--exclude-resource-type", "unit_test")

    assert 0 == built.returncode, built.stdout[-6000:]
