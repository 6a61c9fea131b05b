"""K-15: damaged, lost or future state is refused with the way out, never passed over."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from connectors.base.errors import ConfigError
from pipeledger.clock import new_sync_id
from pipeledger.landing import Landing
from pipeledger.sync import rebuild_state
from tests.sync.vendor import CONNECTION, T0, Vendor, current, sync, vendor_of_thirty


def checkpoint_table(folder: Path) -> Path:
    return folder / "landing" / "_checkpoints"


def lose_checkpoints(folder: Path) -> None:
    shutil.rmtree(checkpoint_table(folder))


def empty_checkpoints(folder: Path) -> None:
    DeltaTable(str(checkpoint_table(folder))).delete()


def spoil_cursors(folder: Path) -> None:
    table = DeltaTable(str(checkpoint_table(folder)))
    table.update(updates={"cursor": "'{\"tick\": '"}, predicate="stream = 'deals'")


def date_from_the_future(folder: Path) -> None:
    landing = Landing(folder / "landing")
    last = landing.last_checkpoint("invented", "deals", CONNECTION)
    assert last is not None
    cursor = {"since": "2999-12-31T00:00:00+00:00"}
    landing.checkpoint(replace(last, sync_id=new_sync_id(), cursor=cursor))


def run_with_a_wrong_clock(folder: Path) -> None:
    landing = Landing(folder / "landing")
    last = landing.last_checkpoint("invented", "deals", CONNECTION)
    assert last is not None
    landing.checkpoint(replace(last, sync_id=new_sync_id(), at=T0 + timedelta(days=400)))


def break_the_log(folder: Path) -> None:
    for entry in (checkpoint_table(folder) / "_delta_log").glob("*.json"):
        entry.write_text("{")


def break_a_streams_log(folder: Path) -> None:
    for entry in (folder / "landing" / "invented" / "deals" / "_delta_log").glob("*.json"):
        entry.write_text("{")


def tear_a_file(folder: Path) -> None:
    file = min((folder / "landing" / "invented" / "deals").rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-100])


async def refusal(vendor: Vendor, folder: Path) -> str:
    """What a sync says: damage of a stream's own table costs that stream, not the run."""
    try:
        report = await sync(vendor, folder)
    except ConfigError as error:
        return str(error)
    return str(report.streams[0].error)


DAMAGES = (
    lose_checkpoints,
    empty_checkpoints,
    spoil_cursors,
    date_from_the_future,
    run_with_a_wrong_clock,
    break_the_log,
    break_a_streams_log,
    tear_a_file,
)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_unfit_state_is_refused_and_a_rebuild_mends_it(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """A cursor in 2999 reads nothing for ever; a lost one reads everything in silence."""
    vendor = vendor_of_thirty()
    await sync(vendor, tmp_path)
    damage(tmp_path)
    vendor.put("deals", "d1", 100)

    assert "state rebuild" in await refusal(vendor, tmp_path)
    rebuilt = rebuild_state(Landing(tmp_path / "landing"), now=T0)
    report = await sync(vendor, tmp_path)

    assert "deals" in {one.stream for one in rebuilt}
    assert report.is_complete
    assert vendor.live("deals") == current(tmp_path, "deals")
    assert vendor.live("stages") == current(tmp_path, "stages")
    assert [] == rebuild_state(Landing(tmp_path / "landing"), now=T0)


async def test_a_full_sync_is_a_way_out_of_a_damaged_cursor(tmp_path: Path) -> None:
    """The message offers it, so it must work."""
    vendor = vendor_of_thirty()
    await sync(vendor, tmp_path)
    spoil_cursors(tmp_path)

    await sync(vendor, tmp_path, full=True)
    again = await sync(vendor, tmp_path)

    assert again.is_complete
    assert 0 == sum(one.appended for one in again.streams)


async def test_a_rebuild_of_good_state_changes_nothing(tmp_path: Path) -> None:
    """Run out of caution it must not cost a full load."""
    vendor = vendor_of_thirty()
    await sync(vendor, tmp_path)
    before = Landing(tmp_path / "landing").checkpoints()

    assert [] == rebuild_state(Landing(tmp_path / "landing"), now=T0)
    assert before == Landing(tmp_path / "landing").checkpoints()


async def test_a_first_sync_killed_early_is_no_lost_state(tmp_path: Path) -> None:
    """Landed versions without a checkpoint mean loss only because the start leaves a row."""
    vendor = vendor_of_thirty()
    landing = Landing(tmp_path / "landing")

    def stop(*_: object) -> None:
        raise RuntimeError

    vendor.before_page = stop
    await sync(vendor, tmp_path)
    vendor.before_page = lambda _stream, _page: None

    assert (await sync(vendor, tmp_path)).is_complete
    assert 30 == landing.live_count("invented", "deals", CONNECTION)


def test_a_sync_id_sorts_behind_the_last_one_whatever_the_clock_says() -> None:
    """Under a clock that ran back the newest checkpoint would be an old one."""
    ahead = "29991231T235959000000-ffffff"

    assert new_sync_id(ahead) > ahead
    assert new_sync_id("s9") > "s9"
    assert new_sync_id("20200101T000000000000-ffffff").startswith("20")


async def test_an_idle_sync_leaves_each_stream_one_row_at_its_start_and_one_at_its_end(
    tmp_path: Path,
) -> None:
    """Every commit is a file, and a company syncs each hour: a third row would say no more."""
    vendor = vendor_of_thirty()
    await sync(vendor, tmp_path)

    report = await sync(vendor, tmp_path, at=T0 + timedelta(hours=1))

    rows = Landing(tmp_path / "landing").checkpoints(stream="deals")
    states = [row.state for row in rows if row.sync_id == report.sync_id]
    assert ["running", "complete"] == states
    assert rows[-1].cursor == rows[-3].cursor
