"""What a stream has landed is loaded once there is something to hold against it."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from connectors.base.stream import Record
from pipeledger.landing import Landing
from pipeledger.landing.newest import Newest

T0 = datetime(2026, 10, 15, 6, tzinfo=UTC)


def test_a_stream_that_shows_nothing_does_not_load_what_is_landed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hourly sync finds most streams as they were, however many records they have."""
    landing = Landing(tmp_path)
    one, two, three = (Record(name, b"{}", T0, "upsert") for name in "123")
    landing.append("hubspot", "deals", "crm", [one], "s001")
    loads: list[Newest] = []
    load = Newest._load

    def noted(self: Newest) -> duckdb.DuckDBPyConnection:
        loads.append(self)
        return load(self)

    monkeypatch.setattr(Newest, "_load", noted)
    with landing.writer("hubspot", "deals", "crm", sync_id="s002") as writer:
        writer.append([])
        assert [] == loads
        writer.append([one, two])
        writer.append([three])

        assert ["1", "2", "3"] == writer.live_ids()
    assert 1 == len(loads)
    assert 1 == len(landing.versions("hubspot", "deals", "crm", "1"))
