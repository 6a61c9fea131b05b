"""What a stream has landed is loaded once there is something to hold against it."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from connectors.base.stream import Record
from pipeledger.landing import Landing
from pipeledger.landing.newest import Newest, Room

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


def test_streams_that_are_read_at_once_share_a_room_and_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To open a DuckDB takes longer than a small stream, and a CRM has twenty."""
    landing = Landing(tmp_path)
    opened: list[Path] = []
    open_room = Room._open

    def noted(self: Room) -> duckdb.DuckDBPyConnection:
        opened.append(self._scratch)
        self._scratch.mkdir(parents=True)
        return open_room(self)

    monkeypatch.setattr(Room, "_open", noted)
    with landing.room("crm"):
        with landing.writer("hubspot", "deals", "crm", sync_id="s001") as deals:
            deals.append([Record("1", b"{}", T0, "upsert")])
            with landing.writer("hubspot", "leads", "crm", sync_id="s001") as leads:
                leads.append([Record("1", b"{}", T0, "archived")])
                assert ["1"] == leads.archived_ids()
            assert [] == deals.archived_ids()
            deals.append([Record("2", b"{}", T0, "upsert")])
            assert ["1", "2"] == deals.live_ids()
        with landing.writer("hubspot", "deals", "crm", sync_id="s001") as again:
            assert ["1", "2"] == again.live_ids()
        assert landing.live_count("hubspot", "leads", "other") == 0
        assert ["crm", "other"] == [path.parent.name for path in opened]
        assert opened[0].exists()

    assert not any(path.exists() for path in opened)
    with suppress(ZeroDivisionError), landing.room("crm") as room:
        room.cursor()
        1 / 0  # noqa: B018 - a sync that breaks
    assert 3 == len({*opened})
    assert not opened[2].exists()
