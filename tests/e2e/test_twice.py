"""A second run over an unchanged company changes nothing (acceptance 1)."""

import pytest

from tests.e2e.road import Road, run

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("company"), pytest.mark.timeout(900)),
]

OF_RUNS = {"mart_source_health"}
"""Has a row per sync, so that it grows by design."""


def test_a_second_run_lands_nothing_and_gives_equal_marts(road: Road) -> None:
    """A warehouse that grows or moves without news cannot be trusted with history."""
    first = road.runs[0]

    again = run(road.settings)

    assert all(sync.is_complete for sync in again.syncs)
    assert {} == {
        (sync.connection, stream.stream): stream.appended
        for sync in again.syncs
        for stream in sync.streams
        if stream.appended
    }
    assert first.publication.build_id != again.publication.build_id
    assert [] == [
        mart
        for mart, checksum in first.publication.checksums.items()
        if again.publication.checksums[mart] != checksum and mart not in OF_RUNS
    ]
