"""dbt's unit tests: each worked example and edge case of the definitions."""

import json
from pathlib import Path

import duckdb
import pytest

from tests.dbt.empty import EmptyCompany, dbt

pytestmark = [
    *(pytest.mark.slow, pytest.mark.timeout(900)),
    pytest.mark.xdist_group("empty"),  # one warehouse for all of them
]


def test_an_empty_company_builds(empty_company: EmptyCompany) -> None:
    """First run, nothing landed: marts exist with no rows, and no check fails."""
    assert "" == empty_company.fault


def test_every_definition_is_pinned_by_a_dbt_unit_test(empty_company: EmptyCompany) -> None:
    """The inputs' types come from relations: an empty warehouse has them all."""
    folder = empty_company.folder
    assert "" == empty_company.fault

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
