"""A second run over an unchanged company changes nothing (acceptance 1)."""

import json

import pytest
from typer.testing import CliRunner

from pipeledger.cli import app
from tests.e2e.road import Road

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("small"), pytest.mark.timeout(900)),
]

OF_RUNS = {"mart_source_health"}
"""Has a row per sync, so that it grows by design."""


def test_a_second_run_lands_nothing_and_gives_equal_marts(small_road: Road) -> None:
    """A warehouse that grows or moves without news cannot be trusted with history."""
    first = small_road.runs[0]
    folder = small_road.settings.paths.warehouse.parents[1]

    outcome = CliRunner().invoke(
        app, ["run", "--config", str(folder / "pipeledger.toml"), "--json"]
    )

    assert 0 == outcome.exit_code, outcome.output
    again = json.loads(outcome.stdout)
    assert {} == {
        (sync["connection"], stream["stream"]): stream["appended"]
        for sync in again["syncs"]
        for stream in sync["streams"]
        if stream["appended"]
    }
    assert first.publication.build_id != again["build"]["build_id"]
    assert [] == [
        mart
        for mart, checksum in first.publication.checksums.items()
        if again["checksums"][mart] != checksum and mart not in OF_RUNS
    ]
