"""The refresh job and the command line are one product."""

from pathlib import Path

import dagster as dg
import duckdb
import pytest

from tests.e2e.road import Road, beside, connect
from tests.e2e.test_twice import OF_RUNS
from tests.orchestration.location import definitions

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("small"), pytest.mark.timeout(900)),
]


def test_the_refresh_job_ends_in_the_same_marts_as_the_command_line(
    small_road: Road, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ways to run that differ in their numbers would be two products."""
    monkeypatch.setenv("PIPELEDGER_CONFIG", str(beside(small_road, tmp_path)))

    job = definitions().defs.resolve_job_def("refresh")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)

    assert result.success
    with connect((tmp_path / "data" / "serving" / "current.duckdb").resolve()) as db:
        found = _checksums(db)
    undisturbed = dict(small_road.runs[0].publication.checksums)
    assert undisturbed.keys() == found.keys()
    assert [] == [
        mart for mart, one in undisturbed.items() if found[mart] != one and mart not in OF_RUNS
    ]


def _checksums(db: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(db.execute("select mart, checksum from meta.marts").fetchall())
