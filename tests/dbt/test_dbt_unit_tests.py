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


pytestmark = [
    *(pytest.mark.slow, pytest.mark.timeout(900)),
    pytest.mark.xdist_group("empty"),  # one warehouse for both
]


@pytest.fixture(scope="module")
def empty_company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a company of which nothing has landed, built and checked, and what dbt said."""
    folder = tmp_path_factory.mktemp("empty")
    make_empty_warehouse(folder / "empty.duckdb")
    built = dbt(folder, "build", "--exclude-resource-type", "unit_test")
    return folder, "" if built.returncode == 0 else built.stdout[-6000:]


def test_an_empty_company_builds(empty_company: tuple[Path, str]) -> None:
    """First run, nothing landed: marts exist with no rows, and no check fails."""
    assert "" == empty_company[1]


def test_every_definition_is_pinned_by_a_dbt_unit_test(empty_company: tuple[Path, str]) -> None:
    """The inputs' types come from relations: an empty warehouse has them all."""
    folder, fault = empty_company
    assert "" == fault

    tested = dbt(folder, "test", "--select", "test_type:unit")

    assert 0 == tested.returncode, tested.stdout[-6000:]
    results = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    assert len(results) > 100
    assert {} == misspelt_lane_columns(folder)


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
        if parent.rpartition(".")[2].startswith("lane_") and node["name"].startswith("int_")
    }
    assert unions, "no lane is united: the manifest has another shape than this test reads"
    unknown = {lane: columns[lane] - columns[union] for union, lane in unions}
    return {lane: names for lane, names in unknown.items() if names}
